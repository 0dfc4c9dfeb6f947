//! A node after whose break the run goes on.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;

use super::enter::watched;
use super::frame::{Frame, broke, read_as};
use crate::ast::{Open, Opens};
use crate::names;
use crate::plan::{Plan, Step};

/// The value that takes the place of a node without which the run goes on, as the value of its block.
#[derive(Clone, Copy)]
pub(super) struct Instead<'a>(pub(super) &'a TokenStream);

/// The way in of the node at this position, in a block that it may leave before it is entered.
pub(super) fn in_block(plan: &Plan<'_>, at: usize, way_in: TokenStream) -> TokenStream {
    let label = names::open_label(at);
    match &plan.steps[at].open {
        Some(_) => quote!(#label: { #way_in }),
        None => way_in,
    }
}

/// The node broke with `value`. That becomes the reply, or the run goes on.
pub(super) fn broke_or_opened(plan: &Plan<'_>, at: usize, frame: &Frame, instead: Instead<'_>) -> TokenStream {
    let broke = broke(plan, at, frame);
    let Step { open, .. } = &plan.steps[at];
    let Some(Open { span, breaks, .. }) = open else { return broke };
    // The macro's own token, shown at the attribute.
    let at_open = Span::mixed_site().located_at(*span);
    let (rt, value) = (names::alias(at_open), Ident::new("value", at_open));
    let opened = opened(plan, at, instead);
    match breaks {
        Opens::All => quote!(#rt::private::drop(#value); #opened),
        Opens::None => broke,
        Opens::Through(says) => quote_spanned!(at_open=> if #says(&#value) { #opened } #broke),
        Opens::Those(pattern, constants) => {
            // A name that is no constant would match every break, so it has to be a constant here.
            let constants = quote!(if false { #(let _ = #constants;)* });
            let (kind, of) = read_as(plan, at, "Breaks");
            quote_spanned! {at_open=>
                #constants
                let #value = #value;
                let is_open = match *<#kind as #rt::flow::Shows<#of, _>>::shows(&#value) {
                    #pattern => true,
                    #[allow(unreachable_patterns)]
                    _ => false,
                };
                if is_open { #opened }
                #broke
            }
        }
    }
}

/// The code for a node that was late, if the run goes on then.
pub(super) fn late(plan: &Plan<'_>, at: usize, instead: Option<Instead<'_>>) -> Option<TokenStream> {
    let Step { open, .. } = &plan.steps[at];
    open.as_ref().filter(|open| open.late)?;
    Some(opened(plan, at, instead?))
}

fn opened(plan: &Plan<'_>, at: usize, Instead(instead): Instead<'_>) -> TokenStream {
    let chain = plan.chain;
    let told = [watched(chain, "broke", &quote!(#at)), watched(chain, "opens", &quote!(#at))];
    let (goes, label) = (names::local("goes", at), names::open_label(at));
    quote!(#(#told)* #goes = false; break #label #instead;)
}
