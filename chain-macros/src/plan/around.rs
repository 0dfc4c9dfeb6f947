//! What a block sees of what is around it.

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

    /// Whether this block, or one in it, may have something of a type that what is around provides only behind this block.
    pub(crate) fn may_have_what_comes_later(&self, level: usize) -> bool {
        let Some(Outer { level: outer, before }) = self.levels[level].outer else { return false };
        let mut later = self.levels[outer].provided().filter(|slot| slot.position >= before).peekable();
        if later.peek().is_none() {
            return false;
        }
        let around = Around::of(&self.chain.name);
        let later: HashSet<_> = later.flat_map(|slot| names(slot, around.as_ref())).collect();
        let is_within = |inner: &usize| {
            let outer = |level: &usize| self.levels[*level].outer.map(|outer| outer.level);
            std::iter::successors(Some(*inner), outer).any(|around| around == level)
        };
        let inner = (level..self.levels.len()).filter(is_within).flat_map(|level| &self.levels[level].slots);
        let mut inner = inner.flat_map(|slot| names(slot, around.as_ref()));
        inner.any(|name| name.is_none() || later.contains(&None) || later.contains(&name))
    }
}

/// The last name in the text of a type, which is that of the type by whatever path, or `None` if the text is not known. What may be
/// skipped is there as itself, too.
fn names(slot: &Slot, around: Option<&Around>) -> Vec<Option<String>> {
    let text = if slot.text.is_empty() { &slot.doubt } else { &slot.text };
    // Other texts are written beside their nodes, which may stand elsewhere.
    let is_written_here = slot.block.is_some() || slot.kind == SlotKind::Binding;
    let alias = around.filter(|_| is_written_here).and_then(|around| around.alias(text));
    let text = alias.as_deref().unwrap_or(text);
    match text.strip_prefix("Option<").filter(|_| slot.maybe.is_some()) {
        Some(plain) => vec![last_name(text), last_name(plain)],
        None => vec![last_name(text)],
    }
}

fn last_name(text: &str) -> Option<String> {
    let path = text.split(['<', '>']).next().unwrap_or_default();
    let name = path.rsplit("::").next().filter(|name| !name.is_empty())?;
    // A segment's own name for a type.
    let is_of_a_segment =
        name != path && name.strip_prefix("Type").is_some_and(|number| number.parse::<usize>().is_ok());
    (!is_of_a_segment).then(|| name.to_owned())
}
