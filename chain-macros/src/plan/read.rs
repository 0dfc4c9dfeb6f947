//! What the plan takes over from the declaration: what is there when a run begins, and each node by itself.

use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use super::data::Step;
use super::slot::{By, Slot, SlotKind};
use crate::ast::{self, Chain, Form};
use crate::names;
use crate::types;

/// The inputs and the fields.
pub(super) fn chain_slots(chain: &Chain) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (index, input) in chain.run.inputs.iter().enumerate() {
        let kind = match types::ungrouped(&input.ty) {
            _ if chain.form == Form::Short => SlotKind::Context,
            Type::Reference(reference) if reference.mutability.is_some() => SlotKind::BorrowedInput,
            Type::Reference(_) => SlotKind::SharedInput,
            _ => SlotKind::OwnedInput,
        };
        slots.push(slot(chain, &input.ty, &input.name, index, kind));
    }
    for (index, field) in chain.fields.iter().enumerate() {
        if chain.is_lent(index) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, &field.ty, &field.name, index, SlotKind::Field) });
        }
        if let Some(held) = types::reloadable(&field.ty) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, held, &field.name, index, SlotKind::Version) });
        }
        if chain.may_be_reloadable(index) {
            let cfg = field.cfg().cloned().collect();
            let (rt, by, name, ty) = (names::runtime_alias(), names::version_by(chain, index), &chain.name, &field.ty);
            let (_, own, _) = chain.generics.split_for_impl();
            let held = quote!(<#rt::private::VersionBy<#by> as #rt::private::Versioned<#ty, #name #own, #index>>::Held);
            let mut version = slot(chain, &Type::Verbatim(held), &field.name, index, SlotKind::Version);
            version.span = syn::spanned::Spanned::span(&field.ty);
            slots.push(Slot { cfg, ..version });
        }
    }
    slots
}

pub(super) fn slot(chain: &Chain, ty: &Type, name: &Ident, index: usize, kind: SlotKind) -> Slot {
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let (by, ty) = (By::of(ty), types::referent(ty));
    // The lifetimes of the chain's type stay; the run's own, and elided ones, are the run's.
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let ty_in_run = types::with_lifetime_but(ty, &run, &own);
    let rt = names::runtime_alias();
    let ty_in_run = chain.with_hidden(&ty_in_run, &run);
    let loan = match kind {
        SlotKind::OwnedInput => quote!(#rt::private::Option<&#call mut #rt::private::Option<#ty_in_run>>),
        SlotKind::SharedInput => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Binding if by == By::Shared => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Version => quote!(#rt::private::Option<&#call #ty_in_run>),
        SlotKind::Context => quote!(#rt::short::Lent<#call>),
        _ => quote!(#rt::private::Option<&#call mut #ty_in_run>),
    };
    let member = match kind {
        SlotKind::Field => "field",
        SlotKind::Binding => "binding",
        SlotKind::Version => "version",
        _ => "input",
    };
    Slot {
        ty: ty_in_run.to_token_stream(),
        loan,
        name: names::unraw(name),
        cfg: Vec::new(),
        index,
        position: index,
        kind,
        span: syn::spanned::Spanned::span(ty),
        member: names::local(member, index),
        binding: None,
        by,
        maybe: None,
        lent: None,
    }
}

pub(super) fn step(chain: &Chain, node: &ast::NodeUse) -> Step {
    let span = node.span();
    let rt = names::alias(span);
    let chain_name = &chain.name;
    let (_, chain_ty, _) = chain.generics.split_for_impl();
    let name = names::unraw(node.name());
    let has_hooks = node.field.is_some() || !name.starts_with(|first: char| first == '_' || first.is_lowercase());
    let (ty, place) = match node.field {
        Some(index) => {
            let ty = &chain.fields[index].ty;
            let name = node.name();
            let ty = names::shown_at(quote!(#ty), span);
            // `self` with the hygiene of the signature that declares it.
            let this = quote!(&self.#name);
            (
                quote_spanned!(span=> <#ty as #rt::IsNode<#chain_name #chain_ty>>::Itself),
                quote_spanned!(span=> <#ty as #rt::IsNode<#chain_name #chain_ty>>::itself(#this)),
            )
        }
        None => {
            let path = &node.path;
            let path = names::shown_at(quote!(#path), span);
            // What is named like a type may be one that is no node, or a function's under another name: that is said once.
            let path = match has_hooks {
                true => quote_spanned!(span=> <#path as #rt::IsNode<#chain_name #chain_ty>>::Itself),
                false => path,
            };
            (path.clone(), quote_spanned!(span=> &<#path as #rt::Stateless>::NODE))
        }
    };
    let is_argued = |path: &syn::Path| path.segments.iter().any(|segment| !segment.arguments.is_none());
    let has_arguments = match node.field.map(|index| types::ungrouped(&chain.fields[index].ty)) {
        None => node.path.qself.is_some() || is_argued(&node.path.path),
        Some(Type::Path(ty)) => is_argued(&ty.path),
        Some(_) => true,
    };
    // A field's type, shown where the field is used: what is wrong with the node is wrong there.
    let node = names::shown_at(ty, span);
    Step { has_hooks, has_arguments, ..Step::named(node, place, name, span) }
}
