//! A node in its row: its way in, what is behind it, and its way out.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::branch::goes;
use super::enter::{enter, read, watched};
use super::frame::{Frame, broke, gave, goes_on};
use super::leave::exit;
use super::parts::{page_behind, pieces};
use super::scope::{holder, itself};
use crate::names;
use crate::plan::{Plan, Row, Step};

/// What stands behind a node, up to where it is left.
pub(super) fn behind(plan: &Plan<'_>, row: &Row, at: usize, position: usize, frame: &Frame) -> TokenStream {
    if at + 1 == row.pieces.len() || !plan.is_left(position) {
        return pieces(plan, row, at + 1, frame);
    }
    let label = names::label(position);
    let rest = pieces(plan, row, at + 1, &frame.within(label.clone()));
    quote!(#label: { #rest })
}

/// A node, and what comes after it.
pub(super) fn step(
    plan: &Plan<'_>,
    in_row: &Row,
    row_at: usize,
    at: usize,
    is_last: bool,
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, has_hooks, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let out = names::local("out", at);
    let held = names::held(at, span);
    let value = names::single("value");
    let entered = watched(chain, "entered", &quote!(#at));
    let enter = enter(plan, at, frame);
    let exit = exit(plan, at);
    let broke = broke(plan, at, frame);
    let rest = behind(plan, in_row, row_at, at, frame);
    let read = read(plan, at, &out);
    let control = quote!(#rt::private::ControlFlow);
    if is_last {
        let gave = match in_row.replies {
            true => gave(plan, at, frame),
            false => goes_on(plan, at),
        };
        let through = quote! {
            #enter
            match #read {
                #control::Continue(#value) => { #entered #gave }
                #control::Break(#value) => { #broke }
            }
        };
        if plan.steps[at].may_be_skipped() {
            let (goes, skips) = goes(plan, at, frame);
            return quote! {
                let #goes = #skips;
                if #goes { #through }
                #rest
                if #goes { #exit }
            };
        }
        return quote!(#through #rest #exit);
    }
    let itself = itself(chain);
    let key = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Key<#at> as #rt::flow::KeyOf<_>>::key_of);
    let page = page_behind(plan, at);
    let this = quote!(self);
    let holder = holder(plan, at, span);
    let watched_hold = |hold: TokenStream| match plan.watches_hook(at) {
        true => {
            let cancelling = names::single("cancelling");
            quote!(#cancelling.watches(#at, #hold))
        }
        false => hold,
    };
    if plan.steps[at].may_be_skipped() {
        let hold = |value: TokenStream| match has_hooks {
            true => watched_hold(
                quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold_maybe::<#at>(#place, #value, #this)),
            ),
            false => quote!(#rt::held::Bare { value: #value }),
        };
        let (entered_value, skipped) =
            (hold(quote!(#rt::private::Some(#key(#value)))), hold(quote!(#rt::private::None)));
        let left = has_hooks
            .then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave_maybe::<#at>(&mut #holder);));
        let (goes, skips) = goes(plan, at, frame);
        return quote! {
            let #goes = #skips;
            let mut #held = if #goes {
                #enter
                let #value = match #read {
                    #control::Continue(#value) => #entered_value,
                    #control::Break(#value) => { #broke }
                };
                #entered
                #value
            } else {
                #skipped
            };
            #page
            #rest
            if #goes { #exit }
            #left
        };
    }
    let left =
        has_hooks.then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave::<#at>(&mut #holder);));
    let hold_it = match has_hooks {
        true => watched_hold(
            quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold::<#at>(#place, #key(#value), #this)),
        ),
        false => quote!(#rt::held::Bare { value: #key(#value) }),
    };
    quote! {
        #enter
        let mut #held = match #read {
            #control::Continue(#value) => #hold_it,
            #control::Break(#value) => { #broke }
        };
        #entered
        #page
        #rest
        #exit
        #left
    }
}
