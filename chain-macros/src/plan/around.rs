//! What a block sees of what is around it.

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
        let mut later = later.map(|slot| self.key(slot)).filter(|key| !key.is_empty()).peekable();
        if later.peek().is_none() {
            return false;
        }
        let later: Vec<_> = later.collect();
        let is_within = |inner: &usize| {
            let outer = |level: &usize| self.levels[*level].outer.map(|outer| outer.level);
            std::iter::successors(Some(*inner), outer).any(|around| around == level)
        };
        let inner = (level..self.levels.len()).filter(is_within).flat_map(|level| &self.levels[level].slots);
        inner.map(|slot| self.key(slot)).any(|key| later.contains(&key))
    }

    /// Stands for the type of something: its text, or the node that provides it.
    fn key(&self, slot: &Slot) -> String {
        let text = if slot.text.is_empty() { &slot.doubt } else { &slot.text };
        match text.is_empty() {
            true if slot.kind == SlotKind::Provided && slot.block.is_none() => {
                self.steps[slot.position].node.to_string()
            }
            true => String::new(),
            false => Around::of(&self.chain.name).and_then(|around| around.alias(text)).unwrap_or_else(|| text.clone()),
        }
    }
}
