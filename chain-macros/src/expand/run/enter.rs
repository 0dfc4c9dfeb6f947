//! The way in: a hook is called, and awaited if it suspends, and its result is read.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;

use super::super::{describe, tasks};
use super::conditions::owned;
use super::direct::{self, taken_apart};
use super::frame::{Frame, assign, broke};
use super::open::{Instead, broke_or_opened, late};
use super::scope::{scope_at, with_fields};
use crate::ast::{Chain, OnCancel};
use crate::handshake::Told;
use crate::names;
use crate::plan::{Plan, Step};

/// Enters a node, and takes its result apart. It returns statements, and then an expression in which `goes_on` finds
/// the node's value as `value`. If the node breaks, that becomes the reply.
pub(super) fn entered(
    plan: &Plan<'_>,
    at: usize,
    frame: &Frame,
    goes_on: &TokenStream,
) -> (Option<TokenStream>, TokenStream) {
    entered_or(plan, at, frame, goes_on, None)
}

/// The same for a node without which the run goes on, with the value that takes its place.
pub(super) fn entered_or(
    plan: &Plan<'_>,
    at: usize,
    frame: &Frame,
    goes_on: &TokenStream,
    instead: Option<Instead<'_>>,
) -> (Option<TokenStream>, TokenStream) {
    let Step { node, span, told, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let (out, value) = (names::local("out", at), names::single("value"));
    let broke = match instead {
        Some(instead) => broke_or_opened(plan, at, frame, instead),
        None => broke(plan, at, frame),
    };
    if let Some(told) = told {
        return match is_just_called(plan, at) {
            true => (None, taken_apart(plan, at, told, &in_time(plan, at, told), goes_on, &broke)),
            false => (
                Some(enter(plan, at, frame, instead)),
                taken_apart(plan, at, told, &out.to_token_stream(), goes_on, &broke),
            ),
        };
    }
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    let read = quote_spanned!(*span=> <#kind as #rt::flow::Reads<_>>::read(#out));
    let control = quote!(#rt::private::ControlFlow);
    let read = quote! {
        match #read {
            #control::Continue(#value) => #goes_on,
            #control::Break(#value) => { #broke }
        }
    };
    (Some(enter(plan, at, frame, instead)), read)
}

/// Whether a function is called without anything around the call.
fn is_just_called(plan: &Plan<'_>, at: usize) -> bool {
    let Step { cancel, timeout, lints, .. } = &plan.steps[at];
    plan.chain.observers.is_empty() && cancel.is_none() && timeout.is_none() && lints.is_empty()
}

/// The call of a function, awaited if the function is `async`.
fn in_time(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let call = direct::call(plan, at, told);
    match told.is_async {
        true => awaited(plan, at, &call, "In"),
        false => call,
    }
}

/// Tells the watch something, if the chain is observed.
pub(super) fn watched(chain: &Chain, what: &str, arguments: &TokenStream) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let (watch, what) = (names::single("watch"), names::single(what));
    (!chain.observers.is_empty()).then(|| quote!(#rt::observe::Tells::#what(&mut #watch, #arguments);))
}

/// Awaits a hook, or only calls it. The node's type says which.
pub(super) fn called(plan: &Plan<'_>, at: usize, hook: &str, suspends: &TokenStream) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let way_out = hook == "exit";
    let scope_local = names::single("scope");
    let scope = scope_at(plan, at, way_out);
    let as_node = describe::as_node(plan, at, node);
    let later = syn::Ident::new(hook, span);
    let now = syn::Ident::new(&format!("{hook}_now"), span);
    if !chain.run.is_async {
        return quote_spanned!(span=> { #scope #as_node::#now(#place, #scope_local) });
    }
    let way = if way_out { "Out" } else { "In" };
    let awaited = awaited(plan, at, &quote_spanned!(span=> #as_node::#later(#place, #scope_local)), way);
    let awaits = match way_out {
        true => {
            let itself = with_fields(plan, at);
            quote_spanned!(span=> <<#node as #rt::Cancel<'_, #itself>>::WayOut as #rt::node::way_out::WayOut>::awaits())
        }
        false => quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Pace as #rt::node::pace::Pace>::awaits()),
    };
    // All of it has the node's place: if a bound of the node is not met, rustc would report that once more wherever the
    // type of the result is known. A hook that is not awaited cannot return from `awaits`, so rustc drops the await.
    quote_spanned! {span=> {
        #scope
        if #suspends { #awaits; #awaited } else { #as_node::#now(#place, #scope_local) }
    }}
}

/// Runs the way in of the node at this position, and puts its result into the local `out`.
fn enter(plan: &Plan<'_>, at: usize, frame: &Frame, instead: Option<Instead<'_>>) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, name, cancel, timeout, lints, told, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let pace = quote_spanned!(span=> <#node as #rt::Signature<'_>>::Pace);
    // `check::told` has compared the paces of the functions whose signatures are known.
    let fits = (told.is_none() && !chain.run.is_async)
        .then(|| quote_spanned!(span=> let () = <#pace as #rt::node::pace::FitsFn<(#node)>>::FITS;));
    let suspends = quote_spanned!(span=> <#pace as #rt::node::pace::Pace>::SUSPENDS);
    let entering = watched(chain, "enter", &quote!(#at));
    let scope_local = names::single("scope");
    let as_node = describe::as_node(plan, at, node);
    let call = match (cancel, timeout) {
        (Some((at_word, OnCancel::Finish)), _) => {
            let scope = told.is_none().then(|| scope_at(plan, at, false));
            let tasks = tasks(chain);
            let owned = with_tokio(*at_word, &owned(plan, at));
            let finished = quote_spanned!(span=> #rt::private::finish(#tasks, #name, #owned));
            let finished = awaited(plan, at, &finished, "In");
            quote!({ #scope #finished })
        }
        (Some((at_word, OnCancel::Detach)), _) => {
            let scope = told.is_none().then(|| scope_at(plan, at, false));
            let out = match told {
                Some(told) => direct::returns(node, span, told),
                None => quote_spanned!(span=> <#node as #rt::Signature<'_>>::Out),
            };
            let told = watched(chain, "detached", &quote!(#at));
            let tasks = tasks(chain);
            let owned = with_tokio(*at_word, &owned(plan, at));
            let begun = quote_spanned!(span=> #rt::private::detach(#tasks, #name, #owned));
            let begun = awaited(plan, at, &begun, "In");
            quote_spanned!(span=> { #scope #begun; #told <#out as #rt::check::Forgotten<#node>>::nothing() })
        }
        (None, Some((at_limit, limit))) => {
            let scope = told.is_none().then(|| scope_at(plan, at, false));
            let (value, out) = (names::single("value"), names::single("out"));
            let entered = names::single("entered");
            let future = match told {
                Some(told) => direct::call(plan, at, told),
                None => quote_spanned!(span=> #as_node::enter(#place, #scope_local)),
            };
            let made = quote_spanned!(span=> let mut #entered = #rt::private::pin!(#future););
            let limit = quote_spanned!(*at_limit=> #rt::private::within(#limit, #entered.as_mut()));
            let limited = awaited(plan, at, &limit, "In");
            let told = watched(chain, "late", &quote!(#at));
            let told_broke = watched(chain, "broke", &quote!(#at));
            let kind = quote_spanned!(*at_limit=> #rt::private::LimitKind);
            let of = quote_spanned!(*at_limit=> #rt::private::Late);
            // Without the feature that it needs, nothing is ever late, and only the kind says so.
            let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
            let label = &frame.label;
            let late = late(plan, at, instead).unwrap_or_else(|| quote!(#told_broke #assign break #label;));
            quote! {{
                // The node's future is dropped before anything learns that it was late.
                let #out = { #scope #made #limited };
                match #out {
                    #rt::private::Ok(#out) => #out,
                    #rt::private::Err(#value) => { #told #late }
                }
            }}
        }
        (None, None) => match told {
            Some(told) => in_time(plan, at, told),
            None => called(plan, at, "enter", &suspends),
        },
    };
    let out = names::local("out", at);
    quote!(#(#lints)* let #out = { #fits #entering #call };)
}

/// The future of work that goes on without its request. Without the feature that `#[cancel(..)]` needs, only that is said,
/// at its word.
fn with_tokio(at_word: Span, owned: &TokenStream) -> TokenStream {
    let rt = &names::alias(at_word);
    quote_spanned!(at_word=> #rt::__with_tokio! { #owned })
}

/// Awaits a future of the node at this position. An observer of the chain sees it suspend.
pub(super) fn awaited(plan: &Plan<'_>, at: usize, future_is: &TokenStream, way: &str) -> TokenStream {
    let span = plan.steps[at].span;
    let rt = &names::alias(span);
    if plan.chain.observers.is_empty() {
        return quote_spanned!(span=> #future_is.await);
    }
    let (watch, future) = (names::single("watch"), names::single("future"));
    let way = Ident::new(way, span);
    // The tokens are the macro's own, with the keyword: otherwise rustc could report an unneeded `mut` at the node.
    let pinned = quote!(mut #future);
    quote_spanned! {span=> {
        let #pinned = #rt::private::pin!(#future_is);
        #rt::observe::Tells::polls(&mut #watch, #future, #at, #rt::observe::Way::#way).await
    }}
}
