//! What a block adds to the scope, and in which portions a long row lends it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;

use super::slot::{Slot, SlotKind};
use crate::names;

/// What a block adds to the scope.
pub(crate) struct Level {
    /// The scope struct's name.
    pub(crate) scope: Ident,
    pub(crate) outer: Option<Outer>,
    /// For the chain: inputs first, then fields. For an arm: its bindings. Then what the nodes provide, in order.
    pub(crate) slots: Vec<Slot>,
    /// The nodes whose values join this level, by position.
    pub(crate) providers: Vec<usize>,
    /// Whether the block ends with the reply.
    pub(crate) replies: bool,
    /// The block whose value this block ends with: itself, or an outer block that it ends.
    pub(crate) gives: Option<usize>,
    /// Where the block begins.
    pub(crate) span: Span,
    /// Whether it becomes a scope.
    pub(crate) has_scope: bool,
}

/// The place of a block in the outer block.
#[derive(Clone, Copy)]
pub(crate) struct Outer {
    pub(crate) level: usize,
    /// The block can be lent what nodes before this position provided there.
    pub(crate) before: usize,
}

/// The source of a need: a level, and the index of a slot in it.
#[derive(Clone, Copy)]
pub(crate) struct Wire {
    pub(crate) level: usize,
    pub(crate) slot: usize,
}

/// A node that gives a value back.
pub(crate) struct Back {
    pub(crate) position: usize,
    /// The place of the value; `None` if the macro cannot tell it, or the value could be gone for a node after this one.
    pub(crate) into: Option<Wire>,
}

/// The number of nodes in a page.
pub(super) const PAGE: usize = 32;

/// The number of nodes in a chunk: as many as `private::all_lent` takes.
pub(super) const CHUNK: usize = 8;

impl Level {
    /// A long row lends the values of its nodes in pages. Each page is made once, when its last node was entered.
    ///
    /// Without pages, the node at position `n` borrows `n` locals for its scope. rustc then analyses what may overlap
    /// in a state machine, in a time that grows faster than the cube of their number: minutes for 200 nodes. A page
    /// costs 8 bytes of the future for each node, for its references. So a row of up to 128 nodes has no pages.
    pub(crate) fn pages(&self) -> usize {
        if self.has_scope && self.providers.len() >= 4 * PAGE { self.providers.len() / PAGE } else { 0 }
    }

    /// The nodes of a page, as indices among the providers.
    pub(crate) fn page(page: usize) -> std::ops::Range<usize> {
        page * PAGE..(page + 1) * PAGE
    }

    /// Provided values are lent in chunks of eight, if a scope lends eight in a row. Each needs one `&mut` in the state
    /// machine's body and nothing else, since each local counts there.
    pub(crate) fn chunks(&self) -> usize {
        if self.pages() > 0 { 0 } else { self.providers.len() / CHUNK }
    }

    /// The nodes of a chunk, as indices among the providers.
    pub(crate) fn chunk(chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK..(chunk + 1) * CHUNK
    }

    /// The place of this slot's value in the scope: in a chunk, or in a member of its own.
    pub(crate) fn loan_of(&self, slot: &Slot) -> TokenStream {
        let chunk = slot.index / CHUNK;
        if slot.kind == SlotKind::Provided && chunk < self.chunks() {
            let (member, index) = (names::local("chunk", chunk), syn::Index::from(slot.index % CHUNK));
            return quote!(#member.#index);
        }
        slot.member.to_token_stream()
    }

    /// How many of this level's nodes come before this position.
    pub(crate) fn provided_before(&self, position: usize) -> usize {
        self.providers.iter().take_while(|provider| **provider < position).count()
    }

    /// The page on which a node's value is lent, by its index among the providers.
    pub(crate) fn page_of(&self, index: usize) -> Option<usize> {
        Some(index / PAGE).filter(|page| *page < self.pages())
    }

    /// The values of this level's nodes.
    pub(crate) fn provided(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.kind == SlotKind::Provided)
    }
}
