//! The sizes of a run and of its parts.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::as_node;
use crate::ast::Chain;
use crate::names;
use crate::plan::Plan;

/// The same names without a meaning, for a chain with errors.
pub(in crate::expand) fn stub(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let vis = &chain.vis;
    let name = names::unraw(&chain.name);
    let sizes = chain.run.is_async.then(|| {
        quote! {
            #vis const fn future_size() -> usize { 0 }
            #vis const fn node_sizes() -> [usize; 0] { [] }
        }
    });
    let toggles = (!chain.run.body.toggles().is_empty())
        .then(|| quote!(#vis const fn toggles(&self) -> #rt::toggle::Switches<'_> { #rt::private::unreachable!() }));
    let sheds = (!chain.run.body.sheds().is_empty())
        .then(|| quote!(#vis const fn sheds(&self) -> #rt::shed::Sheds<'_> { #rt::private::unreachable!() }));
    quote! {
        #toggles
        #sheds
        #vis const NODES: &'static [#rt::NodeInfo] = &[];
        #vis const CHAIN: &'static #rt::describe::ChainInfo = &#rt::describe::ChainInfo {
            name: #name, inputs: &[], fields: &[], reply: "", nodes: &[], blocks: &[], sheds: &[], names: #rt::describe::Names::AS_WRITTEN,
        };
        #vis const fn drawing() -> #rt::Drawing { #rt::Drawing::of(Self::CHAIN) }
        #sizes
    }
}

/// The size of what `run` returns, through a `const fn` that is generic over the return type: one of the runtime's, if it
/// has one for so many parameters.
fn future_size(chain: &Chain) -> TokenStream {
    let (rt, count) = (&names::runtime_alias(), chain.run.inputs.len() + 1);
    if count <= 12 {
        let size = format_ident!("size_{count}");
        return quote!(#rt::told::#size(Self::run));
    }
    let letters: Vec<_> = (0..count).map(|index| names::local("Argument", index)).collect();
    quote! {
        const fn of<#(#letters,)* Future>(_: fn(#(#letters),*) -> Future) -> usize {
            #rt::private::size_of::<Future>()
        }
        of(Self::run)
    }
}

/// Functions of the chain that tell sizes, and an `impl` with these if they need the bounds that `run` has: what an
/// observer is may depend on a parameter. (rustc takes longer for one more `impl`.)
pub(super) fn sizes(plan: &Plan<'_>) -> (Option<TokenStream>, Option<TokenStream>) {
    let chain = plan.chain;
    let sizes = chain.run.is_async.then(|| functions(plan));
    if chain.observers.is_empty() {
        return (sizes, None);
    }
    let name = &chain.name;
    let generics = super::super::observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    (None, sizes.map(|sizes| quote!(impl #impl_generics #name #ty_generics #clause { #sizes })))
}

/// Measures an `async fn` through a `const fn` that is generic over the function's return type.
fn functions(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let vis = &chain.vis;
    let count = plan.steps.len();
    let nodes = plan.steps.iter().enumerate().map(|(at, step)| {
        let crate::plan::Step { node, span, told, .. } = step;
        let rt = &names::alias(*span);
        if let Some(hooks) = told.as_ref().and_then(|told| told.hooks.as_ref()) {
            let shape = hooks.shape;
            return match told.as_ref().is_some_and(|told| told.is_async) {
                true => quote_spanned!(*span=> #rt::told::size_2(<#node as #rt::told::hook::EntersLater<'_, _, #shape>>::enter)),
                false => quote!(0),
            };
        }
        if let Some(told) = told {
            let size = format_ident!("size_{}", told.parameters.len(), span = *span);
            return match told.is_async {
                true => quote_spanned!(*span=> #rt::told::#size(#node)),
                false => quote!(0),
            };
        }
        let as_node = as_node(plan, at, node);
        quote_spanned!(*span=> #rt::private::future_of_2(#as_node::enter))
    });
    let future_size = future_size(chain);
    quote! {
        /// Bytes of the future that `run` returns.
        #[must_use]
        #vis const fn future_size() -> usize {
            #future_size
        }
        /// Bytes of each node's own future on its way in; 0 for a node that never suspends.
        #[must_use]
        #vis const fn node_sizes() -> [usize; #count] {
            [#(#nodes),*]
        }
    }
}
