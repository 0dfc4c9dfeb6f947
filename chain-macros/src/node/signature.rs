//! A node as data, before any token of it is emitted.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Generics, Ident, Type, Visibility};

use super::flow::{Flow, FlowKind};
use crate::names;
use crate::told::{Access, Told, Untold};
use crate::types;

/// A node as data, before any token of it is emitted.
pub(super) struct Node {
    /// The node's type in the impls: `auth<T>`, `AccessLog`.
    pub(super) ty: TokenStream,
    pub(super) name: String,
    /// The span of that name, for errors about the node as a whole.
    pub(super) span: Span,
    pub(super) generics: Generics,
    /// The same outside of a run: without the bounds on a function's parameters for one of its lifetimes.
    pub(super) bare: Generics,
    /// A chain names a function by itself, and a function has no way out, so it needs less.
    pub(super) is_function: bool,
    /// It is a chain, so other methods of its type do not matter.
    pub(super) is_chain: bool,
    /// For a function: the struct of the same name.
    pub(super) declaration: Option<TokenStream>,
    pub(super) stateless: bool,
    pub(super) promises: Promises,
    /// The first call in a hook that begins a task for which nothing waits, and the call as it is written.
    pub(super) spawns: Option<(Ident, String)>,
    pub(super) enter: Option<Hook>,
    pub(super) exit: Option<Hook>,
    /// The type parameter of `exit` that stands for the reply, with its bounds.
    pub(super) exit_reply: Option<syn::TypeParam>,
    pub(super) cancelled: Option<Hook>,
    pub(super) around: Option<Around>,
    pub(super) flow: Flow,
    /// It stands beside errors.
    pub(super) is_stub: bool,
    /// `enter` is awaited, and its value borrows for a lifetime of the node's own type.
    pub(super) gives_for_longer: bool,
    /// rustc refuses the function: nothing says from which parameter the result borrows.
    pub(super) is_refused: bool,
    /// For a function: the macro that tells its signature.
    pub(super) handshake: Option<Handshake>,
}

/// The promises of `#[node(..)]`, which each chain is checked against.
#[derive(Clone, Copy, Default)]
pub(super) struct Promises {
    /// It gives the reply, and nothing may come after it.
    pub(super) last: bool,
    /// It turns requests away, so no input may be taken before it.
    pub(super) rejects: bool,
    /// Its value is useful only to a later node.
    pub(super) wanted: bool,
    /// It may not stand in a block that may run again.
    pub(super) once: bool,
}

impl Promises {
    /// The promise of this name.
    pub(super) fn named(&mut self, option: &syn::Path) -> Option<&mut bool> {
        let Self { last, rejects, wanted, once } = self;
        let all = [("last", last), ("rejects", rejects), ("wanted", wanted), ("once", once)];
        all.into_iter().find(|(name, _)| option.is_ident(name)).map(|(_, promise)| promise)
    }
}

/// A hook: the function that is called, and its arguments.
pub(super) struct Hook {
    pub(super) call: TokenStream,
    pub(super) is_async: bool,
    /// Its future borrows nothing.
    pub(super) is_owned: bool,
    pub(super) parameters: Vec<Parameter>,
}

/// The macro of a function.
pub(super) struct Handshake {
    pub(super) name: Ident,
    pub(super) vis: Visibility,
    /// The signature. Without one, the function is found through its traits.
    pub(super) told: Option<Told>,
    /// There is an error about the node.
    pub(super) is_broken: bool,
    /// What the macro tells if the signature is not told.
    pub(super) untold: Untold,
    /// For a function that tells its signature: the attributes of its type.
    pub(super) docs: TokenStream,
}

#[derive(Clone)]
pub(super) struct Parameter {
    pub(super) ty: Type,
    /// How many references are made to what is found: one for `&&T`, which is a reference to the `&T` that the scope
    /// lends.
    pub(super) behind: usize,
    pub(super) access: Access,
    /// It is lent for the whole run, because the node's value borrows from it.
    pub(super) is_kept: bool,
    pub(super) role: Role,
    /// By its look, apart from lifetimes, it is the node's own value. That value borrows for the run, whatever a hook
    /// says.
    pub(super) is_own: bool,
    /// The span of the parameter's type, for errors about it.
    pub(super) span: Span,
}

impl Parameter {
    /// Whether it is found in the scope by its type. (No scope lends a reference to a reference for writing.)
    pub(super) fn is_found(&self) -> bool {
        self.role != Role::Reply && !matches!(types::ungrouped(&self.ty), Type::Reference(_))
    }

    /// `&`, once for each reference that is made.
    pub(super) fn references(&self) -> TokenStream {
        std::iter::repeat_n(quote!(&), self.behind).collect()
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Scope,
    Reply,
    /// In `cancelled`: the node's own value.
    Own,
}

/// The kind of hook, for its errors.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Function,
    Enter,
    Exit,
    Cancelled,
    Around,
    Again,
}

impl Place {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Function => "a node",
            Self::Enter => "`enter`",
            Self::Exit => "`exit`",
            Self::Cancelled => "`cancelled`",
            Self::Around => "`around`",
            Self::Again => "`again`",
        }
    }
}

/// What `#[node]` knows of `around` and `again`.
pub(super) struct Around {
    /// Whether it is lent the value of `enter`.
    pub(super) takes_entered: bool,
    /// The output that it asks of its block, if it names one: the reply.
    pub(super) output: Option<Type>,
    /// Its return type. [`output`] stands for the block's output if that can be any type.
    pub(super) out: Type,
    pub(super) kind: FlowKind,
    pub(super) gives_up: Option<TokenStream>,
    pub(super) again: Option<Again>,
    /// It stands beside errors, and does nothing.
    pub(super) is_stub: bool,
}

pub(super) struct Again {
    /// It returns a future in an `Option`: a pause may come first.
    pub(super) pauses: bool,
    pub(super) reply: Type,
    /// Its own type parameter, which stands for the reply, and the bounds of that parameter.
    pub(super) parameter: Option<Ident>,
    pub(super) bounds: Vec<TokenStream>,
}

impl Around {
    /// One that does nothing, beside errors that are reported already.
    pub(super) fn kept_alive() -> Self {
        let output = block_output();
        Self {
            takes_entered: false,
            output: None,
            out: syn::parse_quote!(#output),
            kind: FlowKind::Plain,
            gives_up: None,
            again: None,
            is_stub: true,
        }
    }

    /// The type with which it gives up.
    pub(super) const fn gives_up(&self) -> Option<&TokenStream> {
        self.gives_up.as_ref()
    }

    pub(super) fn wraps(&self, rt: &TokenStream) -> TokenStream {
        match self.again {
            None => quote!(#rt::describe::Wraps::Once),
            Some(_) => quote!(#rt::describe::Wraps::Again),
        }
    }
}

/// Stands for the block's output.
pub(super) fn block_output() -> Ident {
    names::single("ChainsOwnOutput")
}
