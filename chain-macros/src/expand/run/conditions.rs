//! Whether an item runs, and what becomes of it where it does not.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::{shedding, tasks};
use super::enter::{enter, read, watched};
use super::frame::{Frame, broke};
use super::scope::scope_at;
use crate::ast::{How, Share};
use crate::names;
use crate::plan::{Condition, Plan, Shed, ShedOf, Step};

/// Whether all of these hold, as an expression.
pub(super) fn holds(plan: &Plan<'_>, all: &[Condition], frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let holds = names::label_of("holds");
    let rt = &names::runtime_alias();
    let asked = all.iter().map(|condition| match condition {
        Condition::Toggled(index, on) => {
            let toggles = names::single("toggles");
            quote!(#toggles.is_on(#index, #on))
        }
        Condition::Kept(index) => kept(plan, *index),
        Condition::Sampled(span, share) => {
            let (part, whole) = (share.part, share.whole);
            quote_spanned!(*span=> #rt::private::sampled(#rt::share::Share::of(#part, #whole)))
        }
        Condition::Asked(at) | Condition::Split(at, ..) => {
            let Step { node, span, .. } = &plan.steps[*at];
            let rt = &names::alias(*span);
            let (out, value) = (names::local("out", *at), names::single("value"));
            let enter = enter(plan, *at, frame);
            let broke = broke(plan, *at, frame);
            let read = read(plan, *at, &out);
            let is_so = match condition {
                Condition::Split(_, share, salt) => {
                    let (part, whole) = (share.part, share.whole);
                    quote_spanned!(*span=> #rt::private::takes(#rt::share::Share::of(#part, #whole), &#value, #salt))
                }
                _ => quote_spanned!(*span=> <#rt::node::Gives<'_, (#node)> as #rt::check::Condition<#node>>::holds(#value)),
            };
            let seen = [
                watched(chain, "entered", &quote!(#at)),
                watched(chain, "passed", &quote!(#at)),
            ];
            let control = quote!(#rt::private::ControlFlow);
            quote! {{
                #enter
                let #value = match #read {
                    #control::Continue(#value) => #is_so,
                    #control::Break(#value) => { #broke }
                };
                #(#seen)*
                #value
            }}
        }
    });
    quote! {
        #holds: {
            #(if !{ #asked } { break #holds false; })*
            true
        }
    }
}

/// Whether what may be shed is not, as an expression; if it is, that is counted and told. Of what goes behind the request, it was put there.
pub(super) fn kept(plan: &Plan<'_>, index: usize) -> TokenStream {
    let chain = plan.chain;
    let Shed { declared, of } = &plan.sheds[index];
    let rt = &names::runtime_alias();
    let (sheds, is_shed) = (names::single("sheds"), names::single("is_shed"));
    let level = names::level(declared.level);
    let shedding = shedding(chain);
    let at_level = quote!(#sheds.sheds(#index, #rt::shed::Level::#level));
    let drawn = match declared.how {
        How::Sampled(span, Share { part, whole }) => {
            let rt = names::alias(span);
            Some(quote_spanned!(span=> && !#rt::private::sampled(#rt::share::Share::of(#part, #whole))))
        }
        How::Skipped | How::Behind(_) => None,
    };
    let behind = match (declared.how, of) {
        (How::Behind(_), ShedOf::Node(at)) => Some(put_behind(plan, *at)),
        _ => None,
    };
    let told = watched(chain, "sheds", &quote!(#index));
    quote! {{
        let #is_shed = #at_level #drawn;
        if #is_shed {
            #rt::Shedding::counted(#shedding, #index);
            #told
            #behind
        }
        !#is_shed
    }}
}

/// Puts the work of the node at this position behind the request, if there is room for it.
pub(super) fn put_behind(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { name, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let scope = scope_at(plan, at, false);
    let owned = owned(plan, at);
    let (told, tasks) = (watched(plan.chain, "detached", &quote!(#at)), tasks(plan.chain));
    quote_spanned!(*span=> if { #scope #rt::private::behind(#tasks, #name, #owned) } { #told })
}

/// The work of the node at this position, which is nobody's but its own.
pub(super) fn owned(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, place, span, .. } = &plan.steps[at];
    let (rt, scope) = (names::alias(*span), names::single("scope"));
    quote_spanned!(*span=> <#node as #rt::node::Owned<'_, '_, _>>::enter_owned(#place, #scope))
}
