//! Takes apart what the way in returns: what is provided, and what breaks the chain.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, ReturnType, Type};

use crate::names;
use crate::types;

/// The return type of the way in, taken apart.
pub(super) struct Flow {
    pub(super) out: TokenStream,
    pub(super) kind: FlowKind,
    /// The value: its type, as tokens and as text; `None` for `()`.
    pub(super) gives: Gives,
    pub(super) breaks: Option<(TokenStream, String)>,
    /// The return type.
    pub(super) span: Span,
}

pub(super) enum FlowKind {
    Plain,
    /// It may be an alias of a `Result` or a `ControlFlow`, which only rustc knows.
    ByType(Box<Type>),
    Result,
    ControlFlow,
}

pub(super) enum Gives {
    Nothing,
    Never,
    Value(TokenStream, String, Option<Box<Type>>),
}

pub(super) fn read_flow(output: &ReturnType) -> Flow {
    let run = names::run_lifetime();
    let ReturnType::Type(_, ty) = output else { return Flow::nothing() };
    let ty = types::ungrouped(ty);
    if types::find_impl_trait(ty).is_some() {
        // This is refused already. What never returns fits any end of a chain.
        return read_flow(&syn::parse_quote!(-> !));
    }
    let out = types::with_lifetime(ty, &run);
    let span = types::name_span(ty);
    let arguments = types::last_segment(ty).map(types::type_arguments).unwrap_or_default();
    let written = |ty: &Type| {
        let relabelled = types::with_lifetime(ty, &run);
        (relabelled.to_token_stream(), types::text(ty))
    };
    if types::is_named(ty, "Result") {
        let gives = match arguments.first() {
            Some(value) => gives(value),
            None => Gives::Value(TokenStream::new(), format!("the value of {}", types::text(ty)), None),
        };
        let breaks = match arguments.get(1) {
            Some(error) if types::is_never(error) => None,
            Some(error) => Some(written(error)),
            None => Some((TokenStream::new(), format!("the error of {}", types::text(ty)))),
        };
        return Flow { out: out.to_token_stream(), kind: FlowKind::Result, gives, breaks, span };
    }
    if types::is_named(ty, "ControlFlow") {
        let gives = arguments.get(1).map_or(Gives::Nothing, |value| gives(value));
        let breaks = arguments.first().filter(|broken| !types::is_never(broken)).map(|broken| written(broken));
        return Flow { out: out.to_token_stream(), kind: FlowKind::ControlFlow, gives, breaks, span };
    }
    Flow { out: out.to_token_stream(), kind: FlowKind::Plain, gives: gives(ty), breaks: None, span }
}

impl Flow {
    fn nothing() -> Self {
        Self { out: quote!(()), kind: FlowKind::Plain, gives: Gives::Nothing, breaks: None, span: Span::call_site() }
    }

    /// A type with arguments and a name that is not known is read by what rustc says it is: `Outcome<User>` may be a
    /// `Result`. (A name without arguments is mostly the provided type, and to ask about each would cost something for
    /// each node.)
    pub(super) fn by_type(self, output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return self };
        let has_arguments = types::last_segment(ty).is_some_and(|last| !types::type_arguments(last).is_empty());
        if !matches!(self.kind, FlowKind::Plain) || !has_arguments || !types::may_hide_a_break(ty) {
            return self;
        }
        let gives = Gives::Value(TokenStream::new(), types::text(ty), None);
        Self { kind: FlowKind::ByType(ty.clone()), gives, ..self }
    }
}

fn gives(ty: &Type) -> Gives {
    if types::is_unit(ty) {
        Gives::Nothing
    } else if types::is_never(ty) {
        Gives::Never
    } else {
        let relabelled = types::with_lifetime(ty, &names::run_lifetime());
        Gives::Value(relabelled.to_token_stream(), types::text(ty), Some(Box::new(ty.clone())))
    }
}

/// The names of the constants that say what a type is whose name does not.
pub(super) fn by_type() -> (Ident, Ident) {
    (names::single("FLOW"), names::single("NOTHING"))
}
