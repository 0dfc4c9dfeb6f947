//! What the plan takes from the declaration: what is there when a run begins, and each node by itself.

use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use super::data::Step;
use super::slot::{By, Slot, SlotKind};
use crate::ast::{self, Chain, Form};
use crate::handshake::Told;
use crate::names;
use crate::nearby;
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
            let lent = slot(chain, &field.ty, &field.name, index, SlotKind::Field);
            let ty = names::field_type(chain, index).map_or(lent.ty, |alias| alias.to_token_stream());
            slots.push(Slot { cfg, ty, ..lent });
        }
        if let Some(held) = types::reloadable(&field.ty) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, held, &field.name, index, SlotKind::Version) });
        }
        if chain.may_be_reloadable(index) {
            let cfg = field.cfg().cloned().collect();
            let (rt, by, name, ty) =
                (names::runtime_alias(), names::version_by(&chain.name, index), &chain.name, &field.ty);
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
    let (written, fixed) = (ty, types::fixed(ty, &chain.generics));
    let ty = fixed.as_ref().unwrap_or(ty);
    // The lifetimes of the chain's type stay as they are. The others, which are the run's own or elided, become the
    // run's.
    let rt = names::runtime_alias();
    let ty_in_run = chain.found_in(ty, &run);
    let loan = match kind {
        SlotKind::OwnedInput => quote!(#rt::private::Option<&#call mut #rt::private::Option<#ty_in_run>>),
        SlotKind::SharedInput => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Binding if by == By::Shared => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Version => quote!(#rt::private::Option<&#call #ty_in_run>),
        SlotKind::Context => quote!(#rt::short::Lent<#call>),
        _ => quote!(#rt::private::Option<&#call mut #ty_in_run>),
    };
    let text = match ty {
        Type::Verbatim(_) => String::new(),
        _ => types::text(ty),
    };
    let span = syn::spanned::Spanned::span(written);
    let slot = Slot::new(kind, index, index, names::unraw(name), span, ty_in_run.to_token_stream(), loan);
    Slot { text, by, ..slot }
}

pub(super) fn step(chain: &Chain, use_of: &ast::NodeUse, hooks_by_text: bool) -> Step {
    let node = use_of;
    let span = node.span();
    let rt = names::alias(span);
    let chain_name = &chain.name;
    let (_, chain_ty, _) = chain.generics.split_for_impl();
    let name = names::unraw(node.name());
    let may_be_a_type = || names::begins_like_both(&name) && node.told.is_none();
    let has_hooks = node.field.is_some() || names::begins_like_a_type(&name) || may_be_a_type();
    let hooks = use_of.hooks.as_ref().filter(|_| hooks_by_text);
    let (ty, place) = match node.field {
        // The type is the node itself: nothing else has a macro of its name.
        Some(index) if hooks.is_some() => {
            let (alias, name, this) = (names::field_type(chain, index), node.name(), &chain.run.locals.this);
            (names::shown_at(quote!(#alias), span), quote!(&#this.#name))
        }
        Some(index) => {
            let ty = &chain.fields[index].ty;
            let name = node.name();
            let alias = names::field_type(chain, index).map(|alias| quote!(#alias));
            let ty = names::path_at(alias.unwrap_or_else(|| quote!(#ty)), span);
            let this = &chain.run.locals.this;
            let this = quote!(&#this.#name);
            let may_be_no_node = || use_of.hooks.is_none() && nearby::may_be_no_node(chain, &chain.fields[index].ty);
            let (is_node, itself) = match types::is_option(&chain.fields[index].ty) {
                true => (quote_spanned!(span=> MayBeNode), quote_spanned!(span=> it)),
                false if may_be_no_node() => (quote_spanned!(span=> NodeOf), quote_spanned!(span=> itself)),
                false => (quote_spanned!(span=> IsNode), quote_spanned!(span=> itself)),
            };
            let held = quote_spanned!(span=> <#ty as #rt::#is_node<#chain_name #chain_ty>>);
            (quote_spanned!(span=> #held::Itself), quote_spanned!(span=> #held::#itself(#this)))
        }
        None => {
            let path = &node.path;
            let path = match path.path.get_ident() {
                Some(name) if path.qself.is_none() => {
                    let mut name = name.clone();
                    name.set_span(name.span().located_at(span));
                    name.into_token_stream()
                }
                _ => names::path_at(quote!(#path), span),
            };
            // A name in the form of a type's may be no node, or another name of a function. That is reported once, and so is
            // a bound that a function's results need: there is no type then about which rustc could report more.
            let path = match has_hooks {
                false if use_of.untold.is_bounded => {
                    quote_spanned!(span=> <#path as #rt::node::Meets<#chain_name #chain_ty>>::Itself)
                }
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
    // A field's type, with the place where the field is used: an error about the node is reported there.
    let node = ty;
    let exits = |told: &std::rc::Rc<Told>| told.hooks.as_ref().is_some_and(|hooks| hooks.exit.is_some());
    let has_hooks = hooks.map_or(has_hooks, exits);
    let told = hooks.or(use_of.told.as_ref()).cloned();
    let untold = use_of.hooks.as_ref().filter(|_| !hooks_by_text).or(use_of.sought.as_ref());
    let untold = untold.or(use_of.untold.sought.as_ref()).cloned();
    let untold = untold.map(|told| told.with_arguments(|| arguments(chain, use_of)));
    let given = use_of.gives_open(chain);
    let by_a_bound = given.and_then(|given| types::fixed(&given, &chain.generics)).map(ToTokens::into_token_stream);
    let kin = use_of.field.filter(|_| told.is_none()).map(|index| kin(&chain.fields[index].ty)).unwrap_or_default();
    Step {
        has_hooks,
        has_arguments,
        told,
        untold,
        by_a_bound,
        kin,
        field: use_of.field,
        ..Step::named(node, place, name, span)
    }
}

/// The arguments of a node's type that are types or constants, as they are written.
fn arguments(chain: &Chain, node: &ast::NodeUse) -> Vec<String> {
    let last = match node.field {
        Some(index) => types::last_segment(types::held(&chain.fields[index].ty)),
        None => node.path.path.segments.last(),
    };
    let Some(syn::PathArguments::AngleBracketed(arguments)) = last.map(|last| &last.arguments) else {
        return Vec::new();
    };
    let text = |argument: &syn::GenericArgument| match argument {
        syn::GenericArgument::Lifetime(_) => None,
        argument => Some(types::text(argument)),
    };
    arguments.args.iter().filter_map(text).collect()
}

/// The name of a field's type, without its arguments and the pointer that holds it.
fn kin(ty: &Type) -> String {
    let ty = types::referent(ty);
    let Some(last) = types::last_segment(ty) else { return String::new() };
    match (last.ident.to_string().as_str(), types::type_arguments(last).as_slice()) {
        ("Arc" | "Rc" | "Box", [held]) => kin(held),
        _ => names::unraw(&last.ident),
    }
}
