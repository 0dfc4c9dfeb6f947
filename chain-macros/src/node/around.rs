//! Reads `around` and `again` of an `impl` block: a node that wraps a block.

use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, GenericArgument, Ident, PathArguments, ReturnType, Signature, Type};

use super::flow::FlowKind;
use super::signature::{Again, Around, block_output};
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::types;

const SHAPE: &str = "write `async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>`, or `-> B::Output` if it never gives up";

/// Reads `around`.
pub(super) fn read(signature: &Signature, diagnostics: &mut Diagnostics) -> Option<Around> {
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        diagnostics.error(Code::E318, name, "`around` awaits its block, so it is `async`", SHAPE);
        return None;
    }
    let blocks: Vec<_> = signature.generics.type_params().map(|parameter| &parameter.ident).collect();
    let [block] = blocks.as_slice() else {
        diagnostics.error(
            Code::E318,
            name,
            "`around` wraps any block, so it has one type parameter, which is the block",
            SHAPE,
        );
        return None;
    };
    if let Some(bound) = more_than_a_future(signature, block) {
        let text = types::text(bound);
        let help = match text.as_str() {
            "Send" | "Sync" => {
                "leave it out: whether the chain's future moves between threads, `#[send]` on the chain asks"
            }
            _ => "leave it out",
        };
        diagnostics.error(
            Code::E318,
            bound,
            format_args!("`around` wraps any block, and not every block is `{text}`"),
            help,
        );
        return None;
    }
    let mut arguments = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    let (last, entered) = (arguments.next_back(), arguments.next());
    if !last.is_some_and(|ty| is_pinned(ty, block)) {
        let what = format!("`around` is lent its block last, as `Pin<&mut {block}>`");
        match last {
            Some(ty) => diagnostics.error(Code::E318, ty, what, SHAPE),
            None => diagnostics.error(Code::E318, name, what, SHAPE),
        }
        return None;
    }
    if let Some(more) = arguments.next() {
        let what =
            "`around` is lent what its own `enter` gave, and the block, nothing else: the block has borrowed the scope";
        diagnostics.error(
            Code::E318,
            more,
            what,
            "ask for it in `enter`, and let `enter` return what `around` needs of it",
        );
        return None;
    }
    if let Some(entered) = entered.filter(|ty| !matches!(types::ungrouped(ty), Type::Reference(_))) {
        let text = types::text(entered);
        diagnostics.error(
            Code::E318,
            entered,
            "`around` is lent what its own `enter` gave",
            format_args!("write `&{text}` or `&mut {text}`"),
        );
        return None;
    }
    let ReturnType::Type(_, out) = &signature.output else {
        diagnostics.error(Code::E318, name, "`around` returns what its block gave", SHAPE);
        return None;
    };
    let run = names::run_lifetime();
    let asked = output_of(signature, block).map(|ty| types::with_lifetime(&ty, &run));
    let output: Type = asked.clone().unwrap_or_else(|| {
        let output = block_output();
        syn::parse_quote!(#output)
    });
    let mut out = types::with_lifetime(out, &run);
    Replace { block, with: &output }.visit_type_mut(&mut out);
    let is_output = |ty: &Type| types::same_text(ty, &output);
    // The reply may itself be a `Result`.
    let is_result = types::is_named(&out, "Result") && !is_output(&out);
    let in_result = types::last_segment(&out).map(types::type_arguments).unwrap_or_default();
    let gives = if is_result { in_result.first().copied() } else { Some(&out) };
    if gives.is_none_or(|ty| !is_output(ty)) {
        diagnostics.error(Code::E318, &signature.output, "`around` returns what its block gave, or gives up", SHAPE);
        return None;
    }
    let gives_up = in_result.get(1).filter(|error| !types::is_never(error)).map(ToTokens::to_token_stream);
    let kind = if is_result { FlowKind::Result } else { FlowKind::Plain };
    Some(Around { takes_entered: entered.is_some(), output: asked, out, kind, gives_up, again: None, is_stub: false })
}

/// A bound on the block other than `Future`: a marker trait of std's, such as `Send`, or a lifetime.
fn more_than_a_future<'a>(signature: &'a Signature, block: &Ident) -> Option<&'a syn::TypeParamBound> {
    bounds_of(signature, block).find(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| ["Send", "Sync", "Unpin"].iter().any(|name| last.ident == name)),
        syn::TypeParamBound::Lifetime(_) => true,
        _ => false,
    })
}

/// The bounds on the block, from the angle brackets or from the where-clause.
fn bounds_of<'a>(signature: &'a Signature, block: &Ident) -> impl Iterator<Item = &'a syn::TypeParamBound> {
    let own = signature.generics.type_params().filter(move |parameter| parameter.ident == *block);
    let clause = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clause = clause.filter_map(move |predicate| match predicate {
        syn::WherePredicate::Type(of) if matches!(&of.bounded_ty, Type::Path(path) if path.path.is_ident(block)) => {
            Some(&of.bounds)
        }
        _ => None,
    });
    own.map(|parameter| &parameter.bounds).chain(clause).flatten()
}

/// The `X` of `B: Future<Output = X>`, from the angle brackets or from the where-clause.
fn output_of(signature: &Signature, block: &Ident) -> Option<Type> {
    let arguments = bounds_of(signature, block).filter_map(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => match &bound.path.segments.last()?.arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            _ => None,
        },
        _ => None,
    });
    arguments.flatten().find_map(|argument| match argument {
        GenericArgument::AssocType(is) if is.ident == "Output" => Some(is.ty.clone()),
        _ => None,
    })
}

/// Reads `again`.
pub(super) fn read_again(signature: &Signature, diagnostics: &mut Diagnostics) -> Option<Again> {
    const SHAPE: &str = "write `fn again(&self, attempt: u32, reply: &Reply) -> bool`, or `-> Option<impl Future<Output = ()> + use<..>>` for a pause before it";
    if let Some(token) = &signature.asyncness {
        let what = "`again` cannot be `async`: it would hold the reply while it pauses";
        diagnostics.error(Code::E320, token, what, SHAPE);
        return None;
    }
    let arguments: Vec<_> = signature.inputs.iter().skip(1).collect();
    let [FnArg::Typed(_), FnArg::Typed(reply)] = arguments.as_slice() else {
        diagnostics.error(
            Code::E320,
            &signature.ident,
            "`again` is lent the number of the try and the reply that it gave",
            SHAPE,
        );
        return None;
    };
    let Type::Reference(reference) = types::ungrouped(&reply.ty) else {
        diagnostics.error(Code::E320, &reply.ty, "`again` borrows the reply", SHAPE);
        return None;
    };
    let pauses = match &signature.output {
        ReturnType::Type(_, ty) if matches!(types::ungrouped(ty), Type::ImplTrait(_)) => {
            let what =
                "`again` says at once whether the block is run once more: the reply is let go of before the pause";
            diagnostics.error(Code::E320, ty, what, SHAPE);
            return None;
        }
        ReturnType::Type(_, ty) => types::is_named(ty, "Option"),
        ReturnType::Default => {
            diagnostics.error(Code::E320, &signature.ident, "`again` says whether to run the block once more", SHAPE);
            return None;
        }
    };
    let reply = (*reference.elem).clone();
    let parameters: Vec<_> = signature.generics.type_params().collect();
    if let Some(other) =
        parameters.iter().find(|parameter| !matches!(&reply, Type::Path(path) if path.path.is_ident(&parameter.ident)))
    {
        let what = format!("nothing says which `{}` `again` is meant for", other.ident);
        diagnostics.error(
            Code::E317,
            other,
            what,
            "put the type parameter on the `impl` block, so that the node's type names it",
        );
        return None;
    }
    let own = parameters.first().filter(|parameter| !parameter.bounds.is_empty()).map(|parameter| {
        let (name, bounds) = (&parameter.ident, &parameter.bounds);
        quote!(#name: #bounds)
    });
    let clause = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounds = own.into_iter().chain(clause.map(ToTokens::to_token_stream)).collect();
    let parameter = parameters.first().map(|parameter| parameter.ident.clone());
    Some(Again { pauses, reply, parameter, bounds })
}

/// Whether it is `Pin<&mut B>`.
fn is_pinned(ty: &Type, block: &Ident) -> bool {
    let Some(segment) = types::last_segment(ty).filter(|segment| segment.ident == "Pin") else { return false };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    let Some(GenericArgument::Type(Type::Reference(reference))) = arguments.args.first() else { return false };
    reference.mutability.is_some() && matches!(&*reference.elem, Type::Path(path) if path.path.is_ident(block))
}

/// Puts a type in place of `B::Output` and `<B as Future>::Output`.
struct Replace<'a> {
    block: &'a Ident,
    with: &'a Type,
}

impl VisitMut for Replace<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let Type::Path(path) = ty else { return visit_mut::visit_type_mut(self, ty) };
        let segments: Vec<_> = path.path.segments.iter().collect();
        let is_output = segments.last().is_some_and(|segment| segment.ident == "Output");
        let is_of_block = match &path.qself {
            Some(qself) => matches!(&*qself.ty, Type::Path(of) if of.path.is_ident(self.block)),
            None => segments.len() == 2 && segments[0].ident == *self.block,
        };
        if is_output && is_of_block {
            *ty = self.with.clone();
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
