//! Whether an item runs, and what happens if it does not.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::{shedding, tasks};
use super::direct;
use super::enter::{entered, watched};
use super::frame::Frame;
use super::scope::{itself, scope_at};
use crate::ast::{How, Share};
use crate::names;
use crate::plan::{Condition, Plan, Shed, ShedOf, Step};

/// Whether all of these hold, as an expression.
pub(super) fn holds(plan: &Plan<'_>, all: &[Condition], frame: &Frame) -> TokenStream {
    if all.is_empty() {
        return quote!(true);
    }
    let chain = plan.chain;
    let holds = names::label_of("holds");
    let rt = &names::runtime_alias();
    let asked = all.iter().map(|condition| match condition {
        Condition::Held(span, field) => {
            let (rt, crate::ast::Field { name, ty, .. }) = (names::alias(*span), &chain.fields[*field]);
            let (this, itself) = (&chain.run.locals.this, itself(chain));
            let ty = names::path_at(quote!(#ty), *span);
            quote_spanned!(*span=> <#ty as #rt::MayBeNode<#itself>>::is_there(&#this.#name))
        }
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
            let Step { node, span, told, .. } = &plan.steps[*at];
            let rt = &names::alias(*span);
            let value = names::value_at(*span);
            let gives = match told {
                Some(told) => direct::gives(plan, *at, told),
                None => quote_spanned!(*span=> #rt::node::Gives<'_, (#node)>),
            };
            let is_so = match condition {
                Condition::Split(_, share, salt) => {
                    let (part, whole) = (share.part, share.whole);
                    quote_spanned!(*span=> #rt::private::takes(#rt::share::Share::of(#part, #whole), &#value, #salt))
                }
                _ => quote_spanned!(*span=> <#gives as #rt::check::Condition<#node>>::holds(#value)),
            };
            let seen = [watched(chain, "entered", &quote!(#at)), watched(chain, "passed", &quote!(#at))];
            let (enter, entered) = entered(plan, *at, frame, &is_so);
            quote! {{
                #enter
                let #value = #entered;
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

/// Whether an item that may be shed is kept, as an expression. If it is shed, that is counted and told to observers,
/// and work that goes behind the request is put there.
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
    let scope = plan.steps[at].told.is_none().then(|| scope_at(plan, at, false));
    let owned = owned(plan, at);
    let (told, tasks) = (watched(plan.chain, "detached", &quote!(#at)), tasks(plan.chain));
    let behind = quote_spanned!(*span=> #rt::private::behind(#tasks, #name, #owned));
    match scope {
        Some(scope) => quote_spanned!(*span=> if { #scope #behind } { #told }),
        None => quote_spanned!(*span=> if #behind { #told }),
    }
}

/// The work of the node at this position, which borrows nothing.
pub(super) fn owned(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, place, span, told, .. } = &plan.steps[at];
    let (rt, scope) = (names::alias(*span), names::single("scope"));
    match told {
        Some(told) if told.is_owned => return direct::call(plan, at, told),
        // The function has no such form. The trait's error says so.
        Some(_) => {
            let nothing = quote_spanned!(*span=> (#rt::private::no_node(), ()));
            return quote_spanned!(*span=> <#node as #rt::node::Owned<'_, '_, _>>::enter_owned #nothing);
        }
        None => {}
    }
    quote_spanned!(*span=> <#node as #rt::node::Owned<'_, '_, _>>::enter_owned(#place, #scope))
}
