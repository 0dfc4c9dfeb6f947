//! The scope that a node sees. It is made anew before each hook.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

use super::super::{chain_arguments, describe};
use super::direct::value_of;
use crate::ast::Chain;
use crate::names;
use crate::plan::{By, Level, Outer, Plan, SlotKind};

/// Makes the scope of the node at this position, in the local `scope`: what the nodes before it provide, and on its way
/// out also the reply, if there is one.
pub(super) fn scope_at(plan: &Plan<'_>, at: usize, way_out: bool) -> TokenStream {
    let level = plan.steps[at].level;
    let visible = if way_out { at + 1 } else { at };
    let (reply, ending, scope) = (names::single("reply"), names::single("ending"), names::single("scope"));
    let rt = &names::runtime_alias();
    let root = plan.levels[0].scope.clone();
    let outward = (way_out && plan.levels[level].replies).then(|| {
        quote! {
            #scope.reply = #rt::private::Some(&mut #reply);
            #scope.ending = #rt::private::Some(#ending);
        }
    });
    let filled = filled(plan, level, visible);
    let this = &plan.chain.run.locals.this;
    quote! {
        let mut #scope = #root::empty(#this);
        #outward
        #filled
    }
}

/// Fills the scope in the local `scope` with what this level can lend to the node at this position.
pub(super) fn filled(plan: &Plan<'_>, index: usize, visible: usize) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = names::single("scope");
    let level = &plan.levels[index];
    let around = level.outer.map(|Outer { level: outer, before }| {
        let filled = filled(plan, outer, before);
        let ty = &level.scope;
        quote! {
            #filled
            let mut #scope = #ty::within(#scope);
        }
    });
    let provided = level.provided_before(visible);
    let pages = level.pages().min(provided / Level::page(0).len());
    let page_names = (0..pages).map(|page| {
        let (member, local) = (names::local("page", page), names::page_local(index, page));
        quote!(#scope.#member = #local.again();)
    });
    let chunks = level.chunks().min(provided / Level::chunk(0).len());
    let elsewhere = Level::page(pages).start.max(Level::chunk(chunks).start);
    let members = level.slots.iter().filter_map(|slot| {
        let (member, cfg) = (&slot.member, &slot.cfg);
        let input = chain.run.locals.inputs.get(slot.index);
        let value = match slot.kind {
            SlotKind::Field => return None,
            SlotKind::Provided if slot.index >= provided || elsewhere > slot.index => return None,
            SlotKind::Provided => {
                let value = value_of(plan, slot);
                quote!(#rt::private::Some(&mut #value))
            }
            SlotKind::Binding => {
                let binding = &slot.binding;
                match slot.by {
                    By::Itself => quote!(#rt::private::Some(&mut #binding)),
                    By::Shared => quote!(#rt::private::Some(#binding)),
                    By::Borrowed => quote!(#rt::private::Some(&mut *#binding)),
                }
            }
            SlotKind::Version if slot.by != By::Itself => quote!(#rt::private::Some(&**#member)),
            SlotKind::Version => quote!(#rt::private::Some(&*#member)),
            SlotKind::OwnedInput => quote!(#rt::private::Some(&mut #member)),
            SlotKind::SharedInput => quote!(#rt::private::Some(#input)),
            SlotKind::BorrowedInput => quote!(#rt::private::Some(&mut *#input)),
            SlotKind::Context => quote!(#rt::short::Lent::new(&mut *#input)),
        };
        // At the slot's token: if the slot's type is an error, rustc reports it there.
        let assigned = names::assign_at(&scope, &level.loan_of(slot), &value, slot.span);
        Some(quote!(#(#cfg)* #assigned))
    });
    let chunks = (0..chunks).map(|chunk| {
        let (member, refs) = (names::local("chunk", chunk), names::single("refs"));
        let in_chunk = Level::chunk(chunk);
        let held = level.provided().filter(|slot| in_chunk.contains(&slot.index)).map(|slot| value_of(plan, slot));
        // A `let` of its own: with an expected type, each reference would be borrowed once more.
        quote! {
            let #refs = (#(&mut #held,)*);
            #scope.#member = #rt::private::all_lent(#refs);
        }
    });
    quote! {
        #around
        #(#page_names)*
        #(#chunks)*
        #(#members)*
    }
}

/// The local that holds the value of the node at this position. If the chain is observed, the value lies in the guard
/// that watches its `cancelled` hook.
pub(super) fn holder(plan: &Plan<'_>, position: usize, span: Span) -> TokenStream {
    let held = names::held(position, span);
    match plan.watches_hook(position) {
        true => quote!(#held.held),
        false => held.into_token_stream(),
    }
}

/// The chain's type, where the node at this position may ask it for a field.
pub(super) fn with_fields(plan: &Plan<'_>, at: usize) -> TokenStream {
    describe::sound_chain(plan, at).unwrap_or_else(|| itself(plan.chain))
}

/// The chain's type. Its borrows live at least as long as the run, and the scope takes them for as long as the run.
pub(super) fn itself(chain: &Chain) -> TokenStream {
    if chain.generics.lifetimes().next().is_none() {
        return quote!(Self);
    }
    let (name, arguments) = (&chain.name, chain_arguments(chain, false));
    quote!(#name<#(#arguments),*>)
}
