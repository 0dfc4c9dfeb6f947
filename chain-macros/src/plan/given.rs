//! The value of a block joins the level around the block, like the value of a node.

use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::Planner;
use super::data::{Plan, Role};
use super::slot::{By, Slot, SlotKind};
use crate::ast::{Given, Item};
use crate::{names, types};

impl Slot {
    /// A node may take it: a constant says how it is held.
    pub(super) fn may_be_taken(&mut self) {
        self.takable = true;
        if let (Some(block), Some(held)) = (self.block, &self.held) {
            let (rt, call, way) = (names::alias(self.span), names::call_lifetime(), names::way_of_block(block));
            self.loan = quote_spanned!(self.span=> <#held as #rt::private::Loan<#call, #way>>::Loan);
        }
    }
}

impl<'a> Planner<'a> {
    /// The item, of which this is the first block, provides `what` in this level.
    pub(super) fn gives(&mut self, block: usize, what: &Given, item: &Item, level: usize) {
        for (index, info) in self.blocks.iter_mut().enumerate().skip(block) {
            if index == block || info.beside == Some(block) {
                info.provides = Some(what.clone());
            }
        }
        let fixed = types::fixed(&what.ty, &self.chain.generics);
        let (ty, span) = (fixed.as_ref().unwrap_or(&what.ty), what.ty.span());
        let rt = names::alias(span);
        let (run, call) = (names::run_lifetime(), names::call_lifetime());
        let as_it_is = |ty: &syn::Type| self.chain.found_in(ty, &run);
        let (held, found) = (as_it_is(ty), as_it_is(types::referent(ty)));
        let how = match By::of(ty) {
            By::Itself => quote!(Itself),
            By::Shared => quote!(ByRef),
            By::Borrowed => quote!(ByMut),
        };
        let how = quote_spanned!(span=> #rt::scope::lent::#how);
        let lent = quote_spanned!(span=> <#how as #rt::scope::LentFrom<#run, #call, #held, #found>>);
        // Functions find it by the text of its type, if the text says everything.
        let text = match By::of(ty) {
            // The text in a segment is about another module.
            By::Itself if !types::has_a_lifetime(ty) && what.text == types::text(&what.ty) => types::text(ty),
            _ => String::new(),
        };
        // It is there once the last node of the block has given it. The nodes after the block see it.
        let position = self.steps.len() - 1;
        let level = &mut self.levels[level];
        let index = level.providers.len();
        level.providers.push(position);
        let loan = quote_spanned!(span=> #rt::private::Option<&#call mut #held>);
        let outlives = self.is_generic.then(|| held.clone());
        let slot = Slot::new(SlotKind::Provided, index, position, item.outline(), span, found, loan);
        let slot = Slot { text, lent: Some(lent), block: Some(block), held: Some(held), outlives, ..slot };
        level.slots.push(slot);
    }
}

impl Plan<'_> {
    /// The block that provides the value of the node at this position, if the node is at the end of such a block.
    pub(crate) fn gives(&self, position: usize) -> Option<usize> {
        let step = &self.steps[position];
        let block = step.block.filter(|_| step.role == Role::Step)?;
        self.levels[step.level].gives.filter(|_| position + 1 == self.blocks[block].end)
    }

    /// What this block ends with, if it ends a block that provides.
    pub(crate) fn given_through(&self, block: usize) -> Option<&Given> {
        // A block's level comes after the chain's level, 0.
        self.levels[block + 1].gives.map(|block| self.provided_by(block))
    }

    /// The value of this block, which is known to provide one.
    pub(crate) fn provided_by(&self, block: usize) -> &Given {
        self.blocks[block].provides.as_ref().expect("a row gives what a block provides")
    }
}
