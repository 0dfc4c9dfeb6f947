//! `around` and `again` of an `impl` block: what wraps a block.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, GenericArgument, GenericParam, Ident, PathArguments, ReturnType, Signature, Type};

use super::{FlowKind, Node};
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::types;

const SHAPE: &str = "write `async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>`, or `-> B::Output` if it never gives up";

/// What `#[node]` knows of the two.
pub(super) struct Around {
    /// Whether it is lent what `enter` gave.
    takes_entered: bool,
    /// What its block has to give, where it says so: the reply.
    output: Option<Type>,
    /// What it returns, with [`output`] for the block's output where that is any.
    out: Type,
    kind: FlowKind,
    gives_up: Option<TokenStream>,
    pub(super) again: Option<Again>,
    /// It stands beside errors, and does nothing.
    is_stub: bool,
}

pub(super) struct Again {
    /// It returns a future in an `Option`: a pause may come first.
    pauses: bool,
    reply: Type,
    /// Its own type parameter, which stands for the reply, and what it asks of it.
    parameter: Option<Ident>,
    bounds: Vec<TokenStream>,
}

/// Stands for the block's output.
fn output() -> Ident {
    names::single("ChainOutput")
}

/// Reads `around`.
pub(super) fn read(signature: &Signature, diagnostics: &mut Diagnostics) -> Option<Around> {
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        diagnostics.error(name, "`around` awaits its block, so it is `async`", SHAPE);
        return None;
    }
    let blocks: Vec<_> = signature.generics.type_params().map(|parameter| &parameter.ident).collect();
    let [block] = blocks.as_slice() else {
        diagnostics.error(name, "`around` wraps any block, so it has one type parameter, which is the block", SHAPE);
        return None;
    };
    let mut arguments = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    let (last, entered) = (arguments.next_back(), arguments.next());
    if !last.is_some_and(|ty| is_pinned(ty, block)) {
        let what = format!("`around` is lent its block last, as `Pin<&mut {block}>`");
        match last {
            Some(ty) => diagnostics.error(ty, what, SHAPE),
            None => diagnostics.error(name, what, SHAPE),
        }
        return None;
    }
    if let Some(more) = arguments.next() {
        let what =
            "`around` is lent what its own `enter` gave, and the block, nothing else: the block has borrowed the scope";
        diagnostics.error(more, what, "ask for it in `enter`, and let `enter` return what `around` needs of it");
        return None;
    }
    if let Some(entered) = entered.filter(|ty| !matches!(types::ungrouped(ty), Type::Reference(_))) {
        let text = types::text(entered);
        diagnostics.error(
            entered,
            "`around` is lent what its own `enter` gave",
            format_args!("write `&{text}` or `&mut {text}`"),
        );
        return None;
    }
    let ReturnType::Type(_, out) = &signature.output else {
        diagnostics.error(name, "`around` returns what its block gave", SHAPE);
        return None;
    };
    let run = names::run_lifetime();
    let asked = output_of(signature, block).map(|ty| types::with_lifetime(&ty, &run));
    let output: Type = asked.clone().unwrap_or_else(|| {
        let output = output();
        syn::parse_quote!(#output)
    });
    let mut out = types::with_lifetime(out, &run);
    Replace { block, with: &output }.visit_type_mut(&mut out);
    let is_output = |ty: &Type| types::same_text(ty, &output);
    // The reply may be a `Result` itself.
    let is_result = types::is_named(&out, "Result") && !is_output(&out);
    let in_result = types::last_segment(&out).map(types::type_arguments).unwrap_or_default();
    let gives = if is_result { in_result.first().copied() } else { Some(&out) };
    if gives.is_none_or(|ty| !is_output(ty)) {
        diagnostics.error(&signature.output, "`around` returns what its block gave, or gives up", SHAPE);
        return None;
    }
    let gives_up = in_result.get(1).filter(|error| !types::is_never(error)).map(ToTokens::to_token_stream);
    let kind = if is_result { FlowKind::Result } else { FlowKind::Plain };
    Some(Around { takes_entered: entered.is_some(), output: asked, out, kind, gives_up, again: None, is_stub: false })
}

/// The `X` of `B: Future<Output = X>`, in angle brackets or in the where-clause.
fn output_of(signature: &Signature, block: &Ident) -> Option<Type> {
    let own = signature.generics.type_params().filter(|parameter| parameter.ident == *block);
    let clause = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clause = clause.filter_map(|predicate| match predicate {
        syn::WherePredicate::Type(of) if matches!(&of.bounded_ty, Type::Path(path) if path.path.is_ident(block)) => {
            Some(&of.bounds)
        }
        _ => None,
    });
    let bounds = own.map(|parameter| &parameter.bounds).chain(clause).flatten();
    let arguments = bounds.filter_map(|bound| match bound {
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
        diagnostics.error(token, what, SHAPE);
        return None;
    }
    let arguments: Vec<_> = signature.inputs.iter().skip(1).collect();
    let [FnArg::Typed(_), FnArg::Typed(reply)] = arguments.as_slice() else {
        diagnostics.error(&signature.ident, "`again` is lent the number of the try and the reply that it gave", SHAPE);
        return None;
    };
    let Type::Reference(reference) = types::ungrouped(&reply.ty) else {
        diagnostics.error(&reply.ty, "`again` borrows the reply", SHAPE);
        return None;
    };
    let pauses = match &signature.output {
        ReturnType::Type(_, ty) if matches!(types::ungrouped(ty), Type::ImplTrait(_)) => {
            let what =
                "`again` says at once whether the block is run once more: the reply is let go of before the pause";
            diagnostics.error(ty, what, SHAPE);
            return None;
        }
        ReturnType::Type(_, ty) => types::is_named(ty, "Option"),
        ReturnType::Default => {
            diagnostics.error(&signature.ident, "`again` says whether to run the block once more", SHAPE);
            return None;
        }
    };
    let reply = (*reference.elem).clone();
    let parameters: Vec<_> = signature.generics.type_params().collect();
    if let Some(other) =
        parameters.iter().find(|parameter| !matches!(&reply, Type::Path(path) if path.path.is_ident(&parameter.ident)))
    {
        let what = format!("nothing says which `{}` `again` is meant for", other.ident);
        diagnostics.error(other, what, "put the type parameter on the `impl` block, so that the node's type names it");
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

/// Puts a type for `B::Output` and `<B as Future>::Output`.
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

impl Around {
    /// One that does nothing, beside errors that stand already.
    pub(super) fn kept_alive() -> Self {
        let output = output();
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

    /// What it gives up with.
    pub(super) const fn gives_up(&self) -> Option<&TokenStream> {
        self.gives_up.as_ref()
    }

    pub(super) fn wraps(&self, rt: &TokenStream) -> TokenStream {
        match self.again {
            None => quote!(#rt::describe::Wraps::Once),
            Some(_) => quote!(#rt::describe::Wraps::Again),
        }
    }

    /// `impl Around for ..`
    pub(super) fn expand(&self, node: &Node, rt: &TokenStream) -> TokenStream {
        let ty = &node.ty;
        let run = names::run_lifetime();
        let (output, block) = (output(), names::single("ChainBlock"));
        let (reply, mut parameters, bounds) = match (&self.again, &self.output) {
            (Some(again), _) => {
                let reply = types::with_lifetime(&again.reply, &run).to_token_stream();
                (reply, again.parameter.iter().map(ToTokens::to_token_stream).collect(), again.bounds.clone())
            }
            (None, Some(output)) => (quote!(#output), Vec::new(), Vec::new()),
            (None, None) => {
                let reply = names::single("ChainReply");
                (reply.to_token_stream(), vec![reply.to_token_stream()], Vec::new())
            }
        };
        let of = match &self.output {
            Some(output) => quote!(#output),
            None => {
                parameters.push(output.to_token_stream());
                output.to_token_stream()
            }
        };
        let generics = node.generics(&[quote!(#run)], &parameters);
        let clause = node.where_clause(&[node.outlives(), bounds].concat());
        let out = &self.out;
        let kind = match (&self.kind, &self.gives_up) {
            (FlowKind::Result, Some(_)) => quote!(Fails),
            (FlowKind::Result, None) => quote!(NeverFails),
            _ => quote!(Gives),
        };
        let gives_up = self.gives_up.clone().unwrap_or_else(|| quote!(#rt::Never));
        let lent = self.takes_entered.then(|| quote!(entered,));
        let call = match self.is_stub {
            true => quote!(#rt::private::pending()),
            false => quote!(Self::around(self, #lent block)),
        };
        let never = quote! {
            #[inline(always)]
            fn again(&#run self, attempt: u32, reply: &#reply) -> #rt::private::Option<#rt::NeverSuspends<()>> { #rt::private::None }
            #[inline(always)]
            fn pause<ChainPause: #rt::private::Future<Output = ()>>(_: ChainPause) -> #rt::NeverSuspends<()> { #rt::private::never_called() }
        };
        let (again_hook, again) = match &self.again {
            None => (quote!(Absent), never),
            Some(Again { pauses: true, .. }) => {
                // What it captures are the types and the node, not the reply.
                let own = node.generics.params.iter().map(|parameter| match parameter {
                    GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
                    GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
                    GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
                });
                let captured = quote!(use<#run, #(#own,)* #(#parameters),*>);
                let again = quote! {
                    #[inline(always)]
                    fn again(
                        &#run self,
                        attempt: u32,
                        reply: &#reply,
                    ) -> #rt::private::Option<impl #rt::private::Future<Output = ()> + #captured> {
                        Self::again(self, attempt, reply)
                    }
                };
                (quote!(Suspends), again)
            }
            Some(_) => {
                let again = quote! {
                    #never
                    #[inline(always)]
                    fn again_now(&#run self, attempt: u32, reply: &#reply) -> bool { Self::again(self, attempt, reply) }
                };
                (quote!(Now), again)
            }
        };
        let hidden = super::hidden(rt);
        let header = quote!(#hidden impl #generics #rt::Around<#run, #reply, #of> for #ty);
        let items = quote! {
            type Outcome = #out;
            type Kind = #rt::flow::kind::#kind;
            type GivesUp = #gives_up;
            const AGAIN: #rt::describe::Hook = #rt::describe::Hook::#again_hook;
            #[inline(always)]
            fn around<#block: #rt::private::Future<Output = #of>>(
                &#run self,
                entered: &mut #rt::node::Gives<#run, Self>,
                block: #rt::private::Pin<&mut #block>,
            ) -> impl #rt::private::Future<Output = Self::Outcome> {
                #call
            }
            #again
        };
        names::impl_at(header, &clause, items, node.span)
    }
}
