//! What a block sees of what is around it.

use std::borrow::Cow;
use std::collections::HashSet;

use super::data::Plan;
use super::level::Outer;
use super::slot::{Slot, SlotKind};
use crate::nearby::Around;

impl Plan<'_> {
    /// What a block at this level sees of the levels around it, the inner ones first.
    pub(crate) fn around(&self, level: usize) -> Vec<&Slot> {
        let mut around: Vec<&Slot> = Vec::new();
        let mut outer = self.levels[level].outer;
        while let Some(Outer { level, before }) = outer {
            let level = &self.levels[level];
            around.extend(level.slots.iter().filter(|slot| slot.kind != SlotKind::Provided || slot.position < before));
            outer = level.outer;
        }
        around
    }

    /// Whether this block, or one in it, has something of a type that what is around provides only behind this block.
    pub(crate) fn has_what_comes_later(&self, level: usize) -> bool {
        let Some(Outer { level: outer, before }) = self.levels[level].outer else { return false };
        let later = self.levels[outer].provided().filter(|slot| slot.position >= before);
        let later: Vec<_> = later.collect();
        if later.is_empty() {
            return false;
        }
        let around = Around::of(&self.chain.name);
        let later: HashSet<_> = later.into_iter().filter_map(|slot| self.key(slot, around.as_ref())).collect();
        let is_within = |inner: &usize| {
            let outer = |level: &usize| self.levels[*level].outer.map(|outer| outer.level);
            std::iter::successors(Some(*inner), outer).any(|around| around == level)
        };
        let inner = (level..self.levels.len()).filter(is_within).flat_map(|level| &self.levels[level].slots);
        inner.filter_map(|slot| self.key(slot, around.as_ref())).any(|key| later.contains(&key))
    }

    /// Stands for the type of something: its text, or the node that provides it.
    fn key<'s>(&self, slot: &'s Slot, around: Option<&Around>) -> Option<Cow<'s, str>> {
        let text = if slot.text.is_empty() { &slot.doubt } else { &slot.text };
        if text.is_empty() {
            let is_of_a_node = slot.kind == SlotKind::Provided && slot.block.is_none();
            return is_of_a_node.then(|| Cow::Owned(self.steps[slot.position].node.to_string()));
        }
        // The others are written beside their nodes, which may stand elsewhere.
        let is_written_here = slot.block.is_some() || slot.kind == SlotKind::Binding;
        let alias = around.filter(|_| is_written_here).and_then(|around| around.alias(text));
        Some(alias.map_or(Cow::Borrowed(text), Cow::Owned))
    }
}
