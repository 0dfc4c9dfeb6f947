//! A node in its row: its way in, what comes after it, and its way out.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::branch::goes;
use super::direct::given_back;
use super::enter::{entered_or, watched};
use super::frame::{Frame, gave, gives, goes_on};
use super::leave::exit;
use super::open::{Instead, in_block};
use super::parts::{page_behind, pieces};
use super::scope::{holder, with_fields};
use crate::names;
use crate::plan::{Plan, Row, Step};

/// What comes after a node, until the node is left.
pub(super) fn behind(plan: &Plan<'_>, row: &Row, at: usize, position: usize, frame: &Frame) -> TokenStream {
    if at + 1 == row.pieces.len() || !plan.is_left(position) {
        return pieces(plan, row, at + 1, frame);
    }
    let label = names::label(position);
    let rest = pieces(plan, row, at + 1, &frame.within(label.clone()));
    quote!(#label: { #rest })
}

/// A node, and `rest`, the code after it.
pub(super) fn step(
    plan: &Plan<'_>,
    in_row: &Row,
    row_at: usize,
    at: usize,
    frame: &Frame,
    rest: TokenStream,
) -> TokenStream {
    let is_last = row_at + 1 == in_row.pieces.len();
    let chain = plan.chain;
    let Step { node, place, span, told, open, .. } = &plan.steps[at];
    // What is called by text is held by itself: it has no `cancelled`.
    let has_hooks = &(plan.steps[at].has_hooks && told.is_none());
    let rt = &names::alias(*span);
    let span = *span;
    // If it breaks after all, it counts as skipped.
    let is_mut = open.as_ref().map(|_| quote!(mut));
    let held = names::held(at, span);
    let value = names::single("value");
    let told_entered = watched(chain, "entered", &quote!(#at));
    let exit = exit(plan, at);
    if is_last {
        let gave = match in_row.gives {
            Some(block) => gives(plan, at, block, frame),
            None if in_row.replies => gave(plan, at, frame),
            None => goes_on(plan, at),
        };
        let nothing = quote!(());
        let goes_on = quote!({ #told_entered #gave });
        let (enter, entered) = entered_or(plan, at, frame, &goes_on, Some(Instead(&nothing)));
        let through = quote!(#enter #entered);
        if plan.steps[at].may_be_skipped() {
            let (goes, skips) = goes(plan, at, frame);
            let through = in_block(plan, at, quote!(if #goes { #through }));
            return quote! {
                let #is_mut #goes = #skips;
                #through
                #rest
                if #goes { #exit }
            };
        }
        return quote!(#through #rest #exit);
    }
    let itself = with_fields(plan, at);
    let key_of = |value: &proc_macro2::Ident| match told {
        Some(_) => value.to_token_stream(),
        None => {
            let key = quote_spanned!(span=> <#node as #rt::Signature<'_>>::Key<#at>);
            quote_spanned!(span=> <#key as #rt::flow::KeyOf<_>>::key_of(#value))
        }
    };
    let key = key_of(&value);
    let page = page_behind(plan, in_row.level, at);
    let this = &chain.run.locals.this;
    let holder = holder(plan, at, span);
    let watched_hold = |hold: TokenStream| match plan.watches_hook(at) {
        true => {
            let cancelling = names::single("cancelling");
            quote!(#cancelling.watches(#at, #hold))
        }
        false => hold,
    };
    if plan.steps[at].may_be_skipped() {
        // If it was skipped, there may be no node.
        let hold = |value: Option<&TokenStream>| {
            let held = match value {
                Some(value) if *has_hooks => quote_spanned!(span=> #rt::private::Some((#place, #value))),
                Some(value) => quote!(#rt::private::Some(#value)),
                None => quote!(#rt::private::None),
            };
            match has_hooks {
                true => watched_hold(
                    quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold_maybe::<#at>(#held, #this)),
                ),
                false if told.is_some() => held,
                false => quote!(#rt::held::Bare { value: #held }),
            }
        };
        let (entered_value, skipped) = (hold(Some(&key)), hold(None));
        let (enter, entered) = entered_or(plan, at, frame, &entered_value, Some(Instead(&skipped)));
        let left = has_hooks
            .then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave_maybe::<#at>(&mut #holder);));
        let (goes, skips) = goes(plan, at, frame);
        let way_in = quote! {
            if #goes {
                #enter
                let #value = #entered;
                #told_entered
                #value
            } else {
                #skipped
            }
        };
        let way_in = in_block(plan, at, way_in);
        return quote! {
            let #is_mut #goes = #skips;
            let mut #held = #way_in;
            #page
            #rest
            if #goes { #exit }
            #left
        };
    }
    let way = names::way(at);
    let left = has_hooks
        .then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave_by::<#way, #at>(&mut #holder);));
    let back = plan.gives_back(at);
    let hold_it = match has_hooks {
        _ if back.is_some() => given_back(plan, at, back.flatten(), &value.to_token_stream()),
        true => watched_hold(
            quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold_by::<#way, #at>(#place, #key, #this)),
        ),
        false => {
            let held = match plan.may_be_taken(at) {
                true => quote!(<#way as #rt::taken::Way>::hold(#key)),
                false => key,
            };
            if told.is_some() { held } else { quote!(#rt::held::Bare { value: #held }) }
        }
    };
    let (enter, entered) = entered_or(plan, at, frame, &hold_it, None);
    // A node that provides nothing holds no value.
    let holds = told.as_ref().is_none_or(|told| !told.provides.is_empty()) && back.is_none();
    let holds = holds.then(|| quote!(let mut #held =));
    quote! {
        #enter
        #holds #entered;
        #told_entered
        #page
        #rest
        #exit
        #left
    }
}
