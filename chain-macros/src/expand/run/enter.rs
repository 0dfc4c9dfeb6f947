//! The way in: a hook is called, awaited where it suspends, and what it returns is read.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;

use super::super::tasks;
use super::conditions::owned;
use super::frame::{Frame, assign};
use super::scope::scope_at;
use crate::ast::{Chain, OnCancel};
use crate::names;
use crate::plan::{Plan, Step};

/// Takes what a node returned apart.
pub(super) fn read(plan: &Plan<'_>, at: usize, out: &Ident) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    quote_spanned!(*span=> <#kind as #rt::flow::Reads<_>>::read(#out))
}

/// Tells the watch something, where the chain is observed.
pub(super) fn watched(chain: &Chain, what: &str, arguments: &TokenStream) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let (watch, what) = (names::single("watch"), names::single(what));
    (!chain.observers.is_empty()).then(|| quote!(#rt::observe::Tells::#what(&mut #watch, #arguments);))
}

/// Awaits a hook, or calls it: which, the node's type says.
pub(super) fn called(plan: &Plan<'_>, at: usize, hook: &str, suspends: &TokenStream) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let way_out = hook == "exit";
    let scope_local = names::single("scope");
    let scope = scope_at(plan, at, way_out);
    let as_node = quote_spanned!(span=> <#node as #rt::Node<'_, '_, _>>);
    let later = syn::Ident::new(hook, span);
    let now = syn::Ident::new(&format!("{hook}_now"), span);
    if !chain.run.is_async {
        return quote!({ #scope #as_node::#now(#place, #scope_local) });
    }
    let way = if way_out { "Out" } else { "In" };
    let awaited = awaited(plan, at, &quote_spanned!(span=> #as_node::#later(#place, #scope_local)), way);
    quote! {{
        #scope
        if #suspends { #awaited } else { #as_node::#now(#place, #scope_local) }
    }}
}

/// The way in of the node at this position, into its local `out`.
pub(super) fn enter(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, name, cancel, timeout, lints, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let fits = (!chain.run.is_async)
        .then(|| quote_spanned!(span=> #rt::private::fits_fn::<<#node as #rt::Signature<'_>>::Pace, (#node)>();));
    let suspends = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Pace as #rt::node::pace::Pace>::SUSPENDS);
    let entering = watched(chain, "enter", &quote!(#at));
    let scope_local = names::single("scope");
    let as_node = quote_spanned!(span=> <#node as #rt::Node<'_, '_, _>>);
    let owned = owned(plan, at);
    let call = match (cancel, timeout) {
        (Some((_, OnCancel::Finish)), _) => {
            let scope = scope_at(plan, at, false);
            let tasks = tasks(chain);
            let finished = quote_spanned!(span=> #rt::private::finish(#tasks, #name, #owned));
            let finished = awaited(plan, at, &finished, "In");
            quote!({ #scope #finished })
        }
        (Some((_, OnCancel::Detach)), _) => {
            let scope = scope_at(plan, at, false);
            let out = quote_spanned!(span=> <#node as #rt::Signature<'_>>::Out);
            let told = watched(chain, "detached", &quote!(#at));
            let tasks = tasks(chain);
            let begun = quote_spanned!(span=> #rt::private::detach(#tasks, #name, #owned));
            let begun = awaited(plan, at, &begun, "In");
            quote_spanned!(span=> { #scope #begun; #told <#out as #rt::check::Forgotten<#node>>::nothing() })
        }
        (None, Some((at_limit, limit))) => {
            let scope = scope_at(plan, at, false);
            let (value, out) = (names::single("value"), names::single("out"));
            let entered = names::single("entered");
            let made =
                quote_spanned!(span=> let mut #entered = #rt::private::pin!(#as_node::enter(#place, #scope_local)););
            let limit = quote_spanned!(*at_limit=> #rt::private::within(#limit, #entered.as_mut()));
            let limited = awaited(plan, at, &limit, "In");
            let told = [watched(chain, "late", &quote!(#at)), watched(chain, "broke", &quote!(#at))];
            let kind = quote_spanned!(*at_limit=> #rt::private::LimitKind);
            let of = quote_spanned!(*at_limit=> #rt::private::Late);
            let late = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
            let label = &frame.label;
            quote! {{
                // The node's future is gone before anybody knows that it was late.
                let #out = { #scope #made #limited };
                match #out {
                    #rt::private::Ok(#out) => #out,
                    #rt::private::Err(#value) => { #(#told)* #late break #label; }
                }
            }}
        }
        (None, None) => called(plan, at, "enter", &suspends),
    };
    let out = names::local("out", at);
    quote!(#(#lints)* let #out = { #fits #entering #call };)
}

/// Awaits a future of the node at this position; who observes the chain, sees it suspend.
pub(super) fn awaited(plan: &Plan<'_>, at: usize, future_is: &TokenStream, way: &str) -> TokenStream {
    let span = plan.steps[at].span;
    let rt = &names::alias(span);
    if plan.chain.observers.is_empty() {
        return quote_spanned!(span=> #future_is.await);
    }
    let (watch, future) = (names::single("watch"), names::single("future"));
    let way = Ident::new(way, span);
    // The macro's own, keyword and all: of what may not be used, rustc would say so at the node.
    let pinned = quote!(mut #future);
    quote_spanned! {span=> {
        let #pinned = #rt::private::pin!(#future_is);
        #rt::observe::Tells::polls(&mut #watch, #future, #at, #rt::observe::Way::#way).await
    }}
}
