//! `match`, `if` and `if let`.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;

use super::conditions::holds;
use super::direct;
use super::enter::{entered, watched};
use super::frame::Frame;
use super::leave::exit;
use super::parts::{after, given, inner_row};
use crate::names;
use crate::plan::{Arm, Plan, Role, Row, SlotKind, Step};

/// Whether a node that may be skipped runs: the local with the answer, and its value.
pub(super) fn goes(plan: &Plan<'_>, at: usize, frame: &Frame) -> (Ident, TokenStream) {
    let goes = names::local("goes", at);
    let holds = holds(plan, &plan.steps[at].conditions, frame);
    let told = watched(plan.chain, "skips", &quote!(#at, !#goes));
    (goes.clone(), quote!({ let #goes = #holds; #told #goes }))
}

/// A node whose value says which arm runs. It is left at the end of its row, like any node.
pub(super) fn branch(
    plan: &Plan<'_>,
    in_row: &Row,
    row_at: usize,
    at: usize,
    arms: &[Arm],
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, role, through, told, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let value = names::value_at(span);
    let matched = names::held(at, span);
    let held = given(plan, in_row, row_at);
    let told_entered = watched(chain, "entered", &quote!(#at));
    let exit = exit(plan, at);
    let label = names::label(at);
    let is_left = plan.is_left(at);
    let inner = if is_left { frame.within(label.clone()) } else { frame.clone() };
    let rest = after(plan, in_row, row_at, &inner);
    let giving = inner.giving(in_row.given[row_at]);
    let arms = arms.iter().map(|arm| {
        let Arm { pattern, bindings, span, row } = arm;
        let hidden = bindings.iter().map(|(name, ..)| name).filter(|name| is_function(plan, name));
        let hidden: Vec<_> = hidden.cloned().collect();
        let pattern = names::out_of_reach(pattern.clone(), &hidden);
        let slots = || plan.levels[row.level].slots.iter().filter(|slot| slot.kind == SlotKind::Binding);
        let body = inner_row(plan, row, &giving);
        // With its type as it is written, so that another type is an error there.
        let bindings = bindings.iter().zip(slots()).map(|((name, local, ty), slot)| {
            let (changes, way) = (quote!(mut #local), names::way_of_binding(slot.position));
            let (at, name) = (name.span(), names::out_of_reach(name.to_token_stream(), &hidden));
            match slot.takable {
                true => {
                    let held = quote!(let #changes = <#way as #rt::taken::Way>::hold(#local););
                    quote_spanned!(at=> let #local: #ty = #name; #held)
                }
                false => quote_spanned!(at=> let #changes: #ty = #name;),
            }
        });
        // At the arm's token: if an arm is missing, rustc says after which one.
        let mut group = Group::new(Delimiter::Brace, quote!(#(#bindings)* #body));
        group.set_span(*span);
        quote_spanned!(*span=> #pattern => #group)
    });
    let given_value = match role {
        Role::Scrutinee { is_bool: true } => {
            let gives = match told {
                Some(told) => direct::gives(plan, at, told),
                None => quote_spanned!(span=> #rt::node::Gives<'_, (#node)>),
            };
            quote_spanned!(span=> <#gives as #rt::check::Condition<#node>>::holds(#value))
        }
        _ => match through {
            Some(through) => quote_spanned!(span=> #through(#value)),
            None => value.to_token_stream(),
        },
    };
    let body = quote_spanned! {span=>
        #held
        match #matched { #(#arms)* }
        #rest
    };
    let body = if is_left { quote!(#label: { #body }) } else { body };
    let (enter, entered) = entered(plan, at, frame, &given_value);
    quote! {
        #enter
        let #matched = #entered;
        #told_entered
        #body
        #exit
    }
}

/// Whether a function that is called by its name has this name: a binding of this name would be called in its place.
fn is_function(plan: &Plan<'_>, name: &Ident) -> bool {
    let name = names::unraw(name);
    plan.steps.iter().any(|step| step.name == name && step.is_told_function())
}
