//! Checks that a run can be sent to another thread, by a check for each thing that it holds.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::search::{as_node, sound_chain};
use crate::ast::Form;
use crate::handshake::Told;
use crate::names;
use crate::plan::{BlockInfo, BlockKind, Plan, Role, Slot, SlotKind};
use crate::types;

/// Under `#[send]`, each node's own future and its value are required to move between threads, at the node's token.
///
/// The checks stand in the body of `run`, where they never run. If one has an error, the body has one, and rustc does not
/// ask any more whether the future of `run` can move. So code that needs that, such as `Router::layer`, has no further
/// error.
pub(in crate::expand) fn sends(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    chain.send.as_ref()?;
    let name = &chain.name;
    let (_, ty_generics, _) = chain.generics.split_for_impl();
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let anonymous = syn::Lifetime::new("'_", proc_macro2::Span::mixed_site());
    let reply = types::with_lifetime_but(&chain.run.reply, &anonymous, &own);
    let checks = plan.steps.iter().enumerate().map(|(at, step)| {
        let crate::plan::Step { node, span, has_hooks, level, role, told, .. } = step;
        let rt = &names::alias(*span);
        let level = &plan.levels[*level];
        let is_held = level.providers.contains(&at) || *role != Role::Step || plan.gives(at).is_some();
        if let Some(told) = told {
            let value = (is_held && !told.provides.is_empty()).then(|| {
                let value = step.value_in(node, &quote!('_), &quote!(#name #ty_generics), at);
                quote_spanned!(*span=> #rt::check::value_moves::<#value, #node>();)
            });
            let moves = format_ident!("moves_{}", told.parameters.len(), span = *span);
            let others = (0..=told.parameters.len()).map(|_| quote!(_));
            let is_checked = told.is_async && !is_lent_what_stays(plan, at, told);
            let future =
                is_checked.then(|| names::as_if_at(quote!(#rt::told::#moves::<#node, #(#others),*>(#node);), *span));
            return quote!(#value #future);
        }
        let as_node = as_node(plan, at, node);
        let with_fields = sound_chain(plan, at).unwrap_or_else(|| quote!(#name #ty_generics));
        let provided =
            is_held.then(|| quote_spanned!(*span=> #rt::check::value_moves::<#rt::node::Gives<'_, (#node)>, #node>();));
        let way_out = has_hooks.then(|| {
            let held = quote_spanned! {*span=>
                <<#node as #rt::Cancel<'_, #with_fields>>::WayOut as #rt::node::way_out::WayOut>::Holds<#reply>
            };
            let exits = matches!(role, Role::Step | Role::Scrutinee { .. });
            let held = exits.then(|| quote_spanned!(*span=> #rt::check::reply_moves::<#held, #node>();));
            quote_spanned! {*span=>
                #rt::check::future_moves::<_, _, _, #node>(#as_node::exit);
                #held
            }
        });
        let wraps = matches!(role, Role::Around).then(|| {
            let is_wrapped = |block: &&BlockInfo| block.kind == BlockKind::Around && block.head == Some(at);
            let wrapped = plan.blocks.iter().position(|block| is_wrapped(&block));
            let output = match wrapped.map(|block| (plan.blocks[block].replies, plan.given_through(block))) {
                Some((true, _)) => reply.to_token_stream(),
                Some((false, Some(given))) => {
                    let given = types::with_lifetime_but(&given.ty, &anonymous, &own);
                    quote!(#rt::private::ControlFlow<#reply, #given>)
                }
                _ => quote!(#rt::private::ControlFlow<#reply, ()>),
            };
            let block = quote_spanned!(*span=> #rt::private::Pending<#output>);
            let around = quote_spanned!(*span=> <#node as #rt::Around<'_, #reply, #output>>::around::<#block>);
            quote_spanned!(*span=> #rt::check::around_moves::<_, _, _, _, #node>(#around);)
        });
        quote_spanned! {*span=>
            #provided
            #rt::check::future_moves::<_, _, _, #node>(#as_node::enter);
            #way_out
            #wraps
        }
    });
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| !is_borrowed(plan, *index)).map(|(_, field)| {
        let (cfg, ty) = (field.cfg(), &field.ty);
        let span = syn::spanned::Spanned::span(ty);
        let rt = names::alias(span);
        let check = quote_spanned!(span=> #rt::check::field_moves::<#ty>(););
        quote!(#(#cfg)* { #check })
    });
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item).map(|input| {
        let span = syn::spanned::Spanned::span(&input.ty);
        let (rt, ty) = (names::alias(span), types::with_lifetime_but(&input.ty, &anonymous, &own));
        quote_spanned!(span=> #rt::check::input_moves::<#ty>();)
    });
    let checks: Vec<_> = checks.chain(fields).chain(inputs).collect();
    Some(quote!(if false { #(#checks)* }))
}

/// Whether a function is lent the value of another one whose type is called `Rc`. About that value there is a check at the
/// other function. If it can move after all, rustc checks the future of `run`.
fn is_lent_what_stays(plan: &Plan<'_>, at: usize, told: &Told) -> bool {
    let stays = |text: &str| text.contains("Rc<") && !text.contains("Arc<");
    let is_provided = |slot: &Slot| {
        slot.kind == SlotKind::Provided && slot.block.is_none() && plan.steps[slot.position].told.is_some()
    };
    let Some(slots) = plan.wired(at) else {
        // The value's type may have another name there.
        let slots = || plan.levels.iter().flat_map(|level| &level.slots).filter(|slot| is_provided(slot));
        let is_lent = |text: &String| slots().any(|slot| slot.text == *text || slot.alias.as_ref() == Some(text));
        return told.parameters.iter().any(|(_, text)| stays(text) && is_lent(text));
    };
    slots.iter().zip(&told.parameters).any(|(slot, (_, text))| is_provided(slot) && stays(text))
}

/// Whether a future borrows this field, so that the check of the future is one of the field as well.
fn is_borrowed(plan: &Plan<'_>, field: usize) -> bool {
    plan.steps.iter().enumerate().any(|(at, step)| match &step.told {
        Some(told) => {
            let slots = plan.wired(at).unwrap_or_default();
            told.is_async && slots.iter().any(|slot| slot.kind == SlotKind::Field && slot.position == field)
        }
        None => step.field == Some(field) && step.role == Role::Step,
    })
}

pub(super) fn pair(name: &str, ty: &str) -> TokenStream {
    quote!((#name, #ty))
}
