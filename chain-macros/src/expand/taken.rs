//! Decides how each value is held that a later node may take. The chain's description says which node takes what. rustc
//! evaluates it, since the macro sees no types.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::names;
use crate::plan::{By, Plan, Slot, SlotKind};

/// A type for each value that a node or a block provides or a pattern binds. It says whether a node takes the value.
pub(super) fn ways(plan: &Plan<'_>) -> TokenStream {
    if !plan.has_scope {
        return TokenStream::new();
    }
    let rt = &names::runtime_alias();
    let name = &plan.chain.name;
    let slots = || plan.levels.iter().flat_map(|level| &level.slots);
    let is_provided = |slot: &&Slot| slot.kind == SlotKind::Provided && slot.maybe.is_none();
    let provided = slots().filter(is_provided).filter(|slot| slot.block.is_none());
    // That of a block has a type only if a node may take it.
    let given = slots().filter(is_provided).filter(|slot| slot.block.is_some() && slot.takable);
    let bound = slots().filter(|slot| slot.kind == SlotKind::Binding && slot.by == By::Itself);
    let nodes = nodes(plan);
    let ways = |of: Vec<&Slot>, taken: Ident, count: usize, how: &str| {
        let how = names::single(how);
        let constant = of
            .iter()
            .any(|slot| slot.takable)
            .then(|| quote!(const #taken: [#rt::private::bool; #count] = #rt::taken::#how(#nodes);));
        let ways = of.iter().map(|slot| {
            let (position, way) = (slot.block.unwrap_or(slot.position), slot.way());
            match slot.takable {
                true => quote!(type #way = #rt::taken::By<{ #taken[#position] }>;),
                false => quote!(type #way = #rt::taken::By<false>;),
            }
        });
        quote!(#constant #(#ways)*)
    };
    let of_nodes = ways(provided.collect(), names::static_of("Taken", name), plan.steps.len(), "of");
    let bindings = plan.bindings().count();
    let taken = names::static_of("BindingsTaken", name);
    let of_bindings = ways(bound.collect(), taken, bindings, "of_bindings");
    let taken = names::static_of("BlocksTaken", name);
    let of_blocks = ways(given.collect(), taken, plan.blocks.len(), "of_blocks");
    quote!(#of_nodes #of_bindings #of_blocks)
}

/// The nodes, with the values that each takes. For a chain with type parameters they are the nodes for the types that
/// `#[check(..)]` names, or for opaque types: which node takes what does not depend on the types.
fn nodes(plan: &Plan<'_>) -> TokenStream {
    let rt = &names::runtime_alias();
    let name = &plan.chain.name;
    if !plan.is_generic {
        let nodes = names::static_of("Nodes", name);
        return quote!(#rt::private::Some(&#nodes));
    }
    match plan.chain.checked_with.first() {
        Some(arguments) => {
            let lifetimes = plan.chain.generics.lifetimes().map(|_| quote!('_));
            quote!(#rt::private::Some(<#name<#(#lifetimes,)* #(#arguments),*>>::NODES))
        }
        None => super::describe::opaque_nodes(plan),
    }
}
