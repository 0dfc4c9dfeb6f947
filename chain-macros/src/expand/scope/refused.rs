//! What no value in a scope may be: one impl before all others that say what a scope has.
//!
//! rustc compares the impls of a trait one with another. This one is for all types that are [`Refused`], and it is the
//! first one that each of the others is compared with:
//!
//! - A type that does not exist is to rustc any other type, so it would conflict with each type in the scope. But rustc
//!   reports no conflict if it finds such a type in the header of the first of two impls. Here the header is a parameter,
//!   which becomes that type. After one conflict rustc looks no further.
//! - A value that would break if its name showed what it is, a `Result` for example, is a conflict.
//!
//! [`Refused`]: ../../../chain_runtime/scope/refused/trait.Refused.html

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, parse_quote};

use super::super::scope_generics;
use crate::names;
use crate::plan::{Level, Plan, Slot, SlotKind};

/// The types that may break.
const BREAKS: [&str; 3] = ["Result", "ControlFlow", "Poll"];

/// What no value in a scope may be.
pub(super) struct Refused<'a> {
    plan: &'a Plan<'a>,
    level: &'a Level,
    /// Whether these are refused, in the order of [`BREAKS`].
    breaks: [bool; 3],
    /// Whether something in the scope may have a type that does not exist.
    is_needed: bool,
}

pub(super) fn what_none_may_be<'a>(plan: &'a Plan<'a>, level: &'a Level) -> Refused<'a> {
    let generics = &plan.chain.generics;
    // What depends on a type parameter may turn out to be any type, and would conflict by that.
    let has_types = generics.type_params().next().is_some() || generics.const_params().next().is_some();
    let is_provided = |slot: &Slot| slot.kind == SlotKind::Provided;
    let is_needed = !has_types && level.slots.iter().any(is_provided);
    let is_written = |name: &str| level.slots.iter().any(|slot| slot.text.split('<').next() == Some(name));
    let breaks = BREAKS.map(|name| is_needed && plan.all_by_name && !is_written(name));
    Refused { plan, level, breaks, is_needed }
}

impl Refused<'_> {
    /// Whether there is such an impl also if nothing else in the scope could conflict with it.
    pub(super) fn breaks(&self) -> bool {
        self.breaks.contains(&true)
    }

    fn bound(&self) -> TokenStream {
        let (rt, name, breaks) = (names::runtime_alias(), &self.plan.chain.name, self.breaks);
        let (_, ty_generics, _) = self.plan.chain.generics.split_for_impl();
        quote!(#rt::scope::refused::Refused<#name #ty_generics, #(#breaks),*>)
    }

    /// Where no node finds anything by its type.
    pub(super) fn unique(&self) -> Option<TokenStream> {
        let (rt, any, bound) = (names::runtime_alias(), names::any_parameter(), self.bound());
        let mut generics = self.plan.chain.generics.clone();
        let (_, ty_generics, clause) = self.plan.chain.generics.split_for_impl();
        generics.params.push(parse_quote!(#any: ?#rt::private::Sized + #bound));
        let (impl_generics, _, _) = generics.split_for_impl();
        let scope = &self.level.scope;
        let refused = quote!(impl #impl_generics #rt::scope::Unique<#any> for #scope #ty_generics #clause {});
        self.is_needed.then(|| names::items_as_if_at(refused, self.plan.chain.name.span()))
    }

    /// Where a node does.
    pub(super) fn provides(&self) -> Option<TokenStream> {
        let (rt, any) = (names::runtime_alias(), names::any_parameter());
        let (run, call) = (names::run_lifetime(), names::call_lifetime());
        let mut generics = scope_generics(self.plan.chain);
        let (_, ty_generics, clause) = generics.split_for_impl();
        let (ty_generics, clause) = (ty_generics.to_token_stream(), clause.cloned());
        let missing: GenericParam = parse_quote!(#any: ?#rt::private::Sized);
        generics.params.push(missing);
        let (impl_generics, _, _) = generics.split_for_impl();
        let (scope, nothing) = (&self.level.scope, quote!(#rt::scope::refused::Nothing));
        self.is_needed.then(|| {
            quote! {
                impl #impl_generics #rt::scope::Provides<#run, #call, #nothing, #any> for #scope #ty_generics #clause {
                    const FROM: #rt::describe::Source = #rt::scope::refused::NOWHERE;
                    type Place = #nothing;
                    fn place(&mut self) -> #nothing { #rt::private::unreachable!() }
                }
            }
        })
    }
}
