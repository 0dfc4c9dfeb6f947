//! Two values in a scope whose types are written alike. rustc says whether the types are the same; then a constant
//! reports it, and the second value is found under another type. Otherwise both are found as they are.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::names;
use crate::plan::{Level, Plan, Slot, SlotKind};
use crate::types;

/// The type of a function's value. The types in signatures that are told have no lifetimes.
pub(super) fn held(plan: &Plan<'_>, slot: &Slot) -> TokenStream {
    let name = &plan.chain.name;
    let step = &plan.steps[slot.position];
    step.value_in(&step.node, &quote!('static), &quote!(#name), slot.position)
}

/// The type by which such a value is found in a run.
fn found(plan: &Plan<'_>, slot: &Slot) -> TokenStream {
    match is_told(plan, slot) {
        true => held(plan, slot),
        false => slot.ty.clone(),
    }
}

/// Whether these are values of two nodes of one type, by its name, whose signatures are not told.
fn are_kin(plan: &Plan<'_>, slot: &Slot, other: &Slot) -> bool {
    let kin = |slot: &Slot| {
        let is_one = slot.kind == SlotKind::Provided && slot.maybe.is_none() && slot.block.is_none();
        // The position is that of a node only if the value is a node's.
        is_one.then(|| plan.steps[slot.position].kin.as_str()).filter(|kin| !kin.is_empty())
    };
    kin(slot).is_some() && kin(slot) == kin(other)
}

/// Whether this is a value of a function or of hooks whose signature is told.
fn is_told(plan: &Plan<'_>, slot: &Slot) -> bool {
    slot.kind == SlotKind::Provided
        && slot.maybe.is_none()
        && slot.block.is_none()
        && (plan.steps[slot.position].told.is_some() || !slot.doubt.is_empty())
}

/// The type of a value as it is written.
fn written(slot: &Slot) -> &str {
    let written = if slot.text.is_empty() { &slot.doubt } else { &slot.text };
    slot.alias.as_ref().unwrap_or(written)
}

/// The thing in sight of this value that comes first and has a type of the same text.
pub(super) fn first<'a>(plan: &'a Plan<'_>, slot: &Slot) -> Option<&'a Slot> {
    let is_plain = plan.chain.generics.params.is_empty() && slot.kind == SlotKind::Provided;
    let is_written = is_told(plan, slot) && !written(slot).is_empty();
    let has_it = |level: &Level| level.slots.iter().any(|other| std::ptr::eq(other, slot));
    let index = plan.levels.iter().position(has_it).filter(|_| is_plain)?;
    let level = &plan.levels[index];
    let own = level.slots.iter().take_while(|other| !std::ptr::eq(*other, slot));
    let certain = |other: &&Slot| {
        is_written
            && written(other) == written(slot)
            && other.cfg.is_empty()
            && match other.kind {
                SlotKind::OwnedInput | SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Field => true,
                SlotKind::Provided => is_told(plan, other),
                SlotKind::Version | SlotKind::Binding | SlotKind::Context => false,
            }
    };
    plan.around(index).into_iter().chain(own).find(|other| certain(other) || are_kin(plan, slot, other))
}

/// The constant that says whether the two types are the same.
fn is_twice(slot: &Slot) -> syn::Ident {
    names::local("Twice", slot.position)
}

/// The constants for a level, each with its error.
pub(super) fn once(plan: &Plan<'_>, index: usize) -> TokenStream {
    let level = &plan.levels[index];
    let checks = level.slots.iter().filter_map(|slot| {
        let other = first(plan, slot)?;
        let (rt, span) = (names::alias(slot.span), slot.span);
        let (is_twice, ty) = (is_twice(slot), held(plan, slot));
        let first = match other.kind {
            SlotKind::Provided => held(plan, other),
            _ => types::at(other.ty.clone(), &[names::run_lifetime()], "static"),
        };
        let what = match other.kind {
            SlotKind::Provided => format!("so does `{}` before it", other.name),
            SlotKind::Field => format!("the field `{}` is one", other.name),
            _ => format!("the input `{}` is one", other.name),
        };
        let (name, text) = (&slot.name, written(slot));
        let text = match text.is_empty() {
            true => {
                let node = &plan.steps[slot.position].node;
                quote_spanned!(span=> <#node as #rt::Signature<'_>>::FACTS.gives())
            }
            false => quote!(#text),
        };
        let check = quote_spanned!(span=> #rt::check::twice::once(#name, #text, #what, #is_twice));
        Some(quote! {
            const #is_twice: #rt::private::bool = {
                use #rt::check::twice::Otherwise as _;
                #rt::check::twice::Same::<(#first, #ty)>::ARE
            };
            const _: () = #check;
        })
    });
    checks.collect()
}

/// The type under which this value is found, if another value's type is written like its own.
pub(super) fn found_as(plan: &Plan<'_>, slot: &Slot) -> Option<TokenStream> {
    first(plan, slot)?;
    let (rt, is_twice, ty, at) = (names::alias(slot.span), is_twice(slot), found(plan, slot), slot.position);
    let name = &plan.chain.name;
    Some(quote!(<#rt::check::twice::Second<#is_twice> as #rt::check::twice::FoundAs<#name, #ty, #at>>::It))
}

/// The same for a scope that hands it out: the type, its place, and the expression of the place.
pub(super) fn second(
    plan: &Plan<'_>,
    slot: &Slot,
    place_ty: &TokenStream,
    place: &TokenStream,
) -> Option<(TokenStream, TokenStream, TokenStream)> {
    first(plan, slot)?;
    let (rt, is_twice, call, at) = (names::alias(slot.span), is_twice(slot), names::call_lifetime(), slot.position);
    let (ty, name) = (found(plan, slot), &plan.chain.name);
    let second = quote!(#rt::check::twice::Second<#is_twice>);
    let placed = quote!(<#second as #rt::check::twice::At<#call, #name, #ty, #place_ty, #at>>);
    Some((
        quote!(<#second as #rt::check::twice::FoundAs<#name, #ty, #at>>::It),
        quote!(#placed::Place),
        quote!(#placed::at(#place)),
    ))
}
