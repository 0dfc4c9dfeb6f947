//! Finds the sources of a function's needs, as far as text decides.
//!
//! A function's signature has the text of each type that it needs and provides. The chain has the text of the types of
//! its inputs and fields. If exactly one thing in the scope has the same text as a need, the body passes that thing on,
//! and rustc compares the two types. In any case of doubt the function is served through the scope's traits.

use std::collections::HashMap;

use super::data::{BlockInfo, BlockKind, Plan, Step};
use super::level::{Back, Level, Outer, Wire};
use super::slot::{By, Slot, SlotKind};
use crate::ast::Chain;
use crate::handshake::{Access, Of};
use crate::told;
use crate::types;

/// What the scopes have, by text.
pub(super) struct Index<'l> {
    levels: &'l [Level],
    /// For each level: its slots by the text of their types; `None` for a text that is there more than once.
    by_text: Vec<HashMap<&'l str, Option<usize>>>,
    /// For each level: the texts of its types by their last name; `None` for a name that two of them end with. Which of the two a
    /// function means, its module says, and text does not.
    by_name: Vec<HashMap<&'l str, Option<&'l str>>>,
}

/// The wires of each step, in the order of its parameters; `None` if the scope has to find any of them.
pub(super) fn wires(index: &Index<'_>, steps: &[Step]) -> Vec<Option<Vec<Wire>>> {
    let wires = steps.iter().enumerate().map(|(at, step)| {
        let told = step.told.as_ref()?;
        told.parameters.iter().map(|(access, text)| index.wire(step.level, at, *access, text)).collect()
    });
    wires.collect()
}

/// The sources of what each `exit` needs whose signature is told; `None` if the scope has to find any of it. In its own
/// way out, a node sees its own value.
pub(super) fn exits(index: &Index<'_>, steps: &[Step]) -> Vec<Option<Vec<Option<Wire>>>> {
    let wires = steps.iter().enumerate().map(|(at, step)| {
        let exit = step.told.as_ref()?.hooks.as_ref()?.exit.as_ref()?;
        let wires = exit.parameters.iter().map(|(of, access, text)| match of {
            Of::Reply => Some(None),
            Of::Scope => index.wire(step.level, at + 1, *access, text).filter(|_| *access != Access::Taken).map(Some),
        });
        wires.collect()
    });
    wires.collect()
}

/// The steps whose hooks are told, found by their traits, and need what text does not find. There may be an error about
/// each of them.
pub(super) fn in_doubt(chain: &Chain, index: &Index<'_>, steps: &[Step]) -> Vec<bool> {
    let in_doubt = steps.iter().enumerate().map(|(at, step)| {
        let Some(told) = &step.untold else { return false };
        // What has no text is not looked for.
        let is_found = |before: usize, access: Access, text: &str| {
            let (is_kept, text) = told::kept(text);
            let keeps = |wire: &Wire| !is_kept || index.lives_long(wire);
            let is_wired = || index.wire(step.level, before, access, text).is_some_and(|wire| keeps(&wire));
            text.is_empty() || is_wired() || (!is_kept && index.may_be_given(step.level, at, before, text))
        };
        let is_the_reply = |text: &str| text.is_empty() || text == types::text(&chain.run.reply);
        let exit = told.hooks.iter().flat_map(|hooks| &hooks.exit).flat_map(|exit| &exit.parameters);
        let mut way_out = exit.map(|(of, access, text)| match of {
            Of::Reply => index.levels[step.level].replies && is_the_reply(text),
            Of::Scope => is_found(at + 1, *access, text) || (*access == Access::Lent && last_name(text) == "Ending"),
        });
        let mut way_in = told.parameters.iter().map(|(access, text)| is_found(at, *access, text));
        let cancelled = told.hooks.iter().flat_map(|hooks| &hooks.cancelled);
        let fields: Vec<_> = chain.fields.iter().map(|field| types::text(types::referent(&field.ty))).collect();
        let mut cancelled = cancelled.map(|text| text.is_empty() || fields.contains(text));
        !way_in.all(|found| found) || !way_out.all(|found| found) || !cancelled.all(|found| found)
    });
    in_doubt.collect()
}

/// Marks the values of nodes, blocks and patterns that a node may take. (A value that may be skipped is an `Option` in any
/// case.)
pub(super) fn mark_takable(levels: &mut [Level], steps: &[Step], wires: &[Option<Vec<Wire>>]) {
    for (at, level) in levels.iter_mut().enumerate() {
        for (index, slot) in level.slots.iter_mut().enumerate() {
            let is_value = match slot.kind {
                SlotKind::Provided => slot.maybe.is_none(),
                SlotKind::Binding => slot.by == By::Itself,
                _ => false,
            };
            let mut steps = steps.iter().zip(wires);
            if is_value && steps.any(|(step, wires)| may_take(step, wires.as_ref(), at, index)) {
                slot.may_be_taken();
            }
        }
    }
}

/// Whether a step may take the value of this slot, as far as the macro knows. A function that is wired says so; of
/// other nodes nothing is known.
fn may_take(step: &Step, wires: Option<&Vec<Wire>>, level: usize, slot: usize) -> bool {
    let Some(told) = &step.told else { return true };
    let takes = |access: Access| access == Access::Taken;
    match wires {
        None => told.parameters.iter().any(|(access, _)| takes(*access)),
        Some(wires) => {
            let is_it = |wire: &Wire| wire.level == level && wire.slot == slot;
            told.parameters.iter().zip(wires).any(|((access, _), wire)| takes(*access) && is_it(wire))
        }
    }
}

/// Whether a value is needed after it was taken. The checks report that. So that rustc does not report it as well, each
/// value is then taken out of a scope.
pub(super) fn needs_what_is_gone(
    steps: &[Step],
    blocks: &[BlockInfo],
    wires: &[Option<Vec<Wire>>],
    backs: &[Back],
) -> bool {
    let uses = steps.iter().enumerate().flat_map(|(at, step)| {
        let told = step.told.iter().flat_map(|told| &told.parameters);
        let wires = wires[at].iter().flatten();
        let back = backs.iter().find(|back| back.position == at).and_then(|back| back.into);
        told.zip(wires).map(move |((access, _), wire)| {
            let thing = (wire.level, wire.slot);
            // Its value is there again.
            let is_back = back.is_some_and(|back| (back.level, back.slot) == thing);
            (at, if is_back { Access::LentMut } else { *access }, thing)
        })
    });
    let uses: Vec<_> = uses.collect();
    uses.iter().any(|(at, access, thing)| {
        let needs_it = |(later, _, other): &(usize, Access, (usize, usize))| {
            later > at && other == thing && !either_or(blocks, steps[*at].block, steps[*later].block)
        };
        *access == Access::Taken && uses.iter().any(needs_it)
    })
}

/// Whether no run comes to both of these blocks, since they stand in two arms of one branch.
fn either_or(blocks: &[BlockInfo], one: Option<usize>, other: Option<usize>) -> bool {
    let arms = |block: Option<usize>| {
        let around = std::iter::successors(block, |at| blocks[*at].parent);
        around.filter(|at| blocks[*at].kind == BlockKind::Arm).collect::<Vec<_>>()
    };
    let (ones, others) = (arms(one), arms(other));
    let beside = |at: &usize| blocks[*at].beside;
    ones.iter()
        .any(|one| others.iter().any(|other| one != other && beside(one).is_some() && beside(one) == beside(other)))
}

fn by_text(level: &Level) -> HashMap<&str, Option<usize>> {
    let mut found = HashMap::new();
    for (index, slot) in level.slots.iter().enumerate().filter(|(_, slot)| !slot.text.is_empty()) {
        found.entry(slot.text.as_str()).and_modify(|known| *known = None).or_insert(Some(index));
    }
    found
}

fn by_name(level: &Level) -> HashMap<&str, Option<&str>> {
    let mut found: HashMap<&str, Option<&str>> = HashMap::new();
    for text in level.slots.iter().map(|slot| slot.text.as_str()).filter(|text| !text.is_empty()) {
        found
            .entry(last_name(text))
            .and_modify(|known| *known = known.filter(|known| *known == text))
            .or_insert(Some(text));
    }
    for slot in level.slots.iter().filter(|slot| !slot.doubt.is_empty()) {
        found.insert(last_name(&slot.doubt), None);
    }
    found
}

/// `Config` of `a::Config`; what has arguments is a name by itself.
fn last_name(text: &str) -> &str {
    if text.contains('<') { text } else { text.rsplit("::").next().unwrap_or(text) }
}

impl<'l> Index<'l> {
    pub(super) fn of(levels: &'l [Level]) -> Self {
        let (by_text, by_name) = levels.iter().map(|level| (by_text(level), by_name(level))).unzip();
        Self { levels, by_text, by_name }
    }

    /// The only slot with this text before the step at this position, in its level or an outer one, if it can certainly be
    /// passed on in this way.
    fn wire(&self, level: usize, before: usize, access: Access, text: &str) -> Option<Wire> {
        let only = self.only(level, before, text)?;
        lends(&self.levels[only.level].slots[only.slot], access).then_some(only)
    }

    /// Whether a node that is found by its traits says that it gives such a value, to the step at this position.
    fn may_be_given(&self, mut level: usize, at: usize, mut before: usize, text: &str) -> bool {
        loop {
            let is_it = |slot: &&Slot| match (slot.maybe.is_some(), slot.position == at) {
                (true, false) => {
                    text.strip_prefix("Option<").and_then(|text| text.strip_suffix('>')) == Some(&slot.doubt)
                }
                _ => slot.doubt == text,
            };
            let there = self.levels[level].slots.iter().filter(|slot| !slot.doubt.is_empty() && slot.position < before);
            if there.filter(is_it).count() == 1 {
                return true;
            }
            match self.levels[level].outer {
                Some(Outer { level: outer, before: begins }) => (level, before) = (outer, begins),
                None => return false,
            }
        }
    }

    /// Whether this lives as long as the run.
    fn lives_long(&self, wire: &Wire) -> bool {
        matches!(self.levels[wire.level].slots[wire.slot].kind, SlotKind::SharedInput | SlotKind::Field)
    }

    fn only(&self, mut level: usize, mut before: usize, text: &str) -> Option<Wire> {
        let mut found = None;
        loop {
            if self.by_name[level].get(last_name(text)).is_some_and(|only| *only != Some(text)) {
                return None;
            }
            if let Some(index) = self.by_text[level].get(text) {
                let slot = (*index)?;
                let is_there = {
                    let slot = &self.levels[level].slots[slot];
                    slot.kind != SlotKind::Provided || slot.position < before
                };
                if found.is_some() || !is_there {
                    return None;
                }
                found = Some(Wire { level, slot });
            }
            match self.levels[level].outer {
                Some(Outer { level: outer, before: begins }) => (level, before) = (outer, begins),
                None => return found,
            }
        }
    }
}

/// Whether the slot can certainly be passed on in this way.
fn lends(slot: &Slot, access: Access) -> bool {
    // A slot under a `cfg` may not be there.
    let is_certain = slot.cfg.is_empty();
    let gives = match (slot.kind, access) {
        (SlotKind::Context, _) => false,
        (_, Access::Lent) => true,
        // A value that is found by text comes from a function that tells its signature, and so it is provided by value.
        (SlotKind::OwnedInput | SlotKind::Provided, _) => true,
        (SlotKind::Binding, Access::Taken) => slot.by == By::Itself,
        (SlotKind::BorrowedInput, Access::LentMut) => true,
        (SlotKind::Binding, Access::LentMut) => slot.by != By::Shared,
        _ => false,
    };
    is_certain && gives
}

impl Plan<'_> {
    /// A slot before the node at this position whose type has almost this text, if none has exactly this text.
    pub(crate) fn near(&self, position: usize, text: &str) -> Option<&Slot> {
        near(&self.levels, self.steps[position].level, position, text)
    }
}

/// A slot before the step at this position whose type has almost this text: it is in an `Arc`, or not in one, or has
/// another path.
fn near<'a>(levels: &'a [Level], mut level: usize, mut before: usize, text: &str) -> Option<&'a Slot> {
    let mut near = None;
    loop {
        for slot in &levels[level].slots {
            let is_there = slot.kind != SlotKind::Provided || slot.position < before;
            // For a value that may be skipped, the scope has another error.
            if !is_there || slot.text.is_empty() || slot.maybe.is_some() || slot.kind == SlotKind::Context {
                continue;
            }
            if slot.text == text {
                return None;
            }
            if near.is_none() && is_near(&slot.text, text) {
                near = Some(slot);
            }
        }
        match levels[level].outer {
            Some(Outer { level: outer, before: begins }) => (level, before) = (outer, begins),
            None => return near,
        }
    }
}

/// Whether a type is written much like another one: what is there, and what is asked for.
pub(crate) fn is_near(there: &str, asked: &str) -> bool {
    let pairs = [("String", "str"), ("PathBuf", "Path"), ("OsString", "OsStr"), ("CString", "CStr")];
    let bare = |text: &str| text.rsplit("::").next().unwrap_or(text).to_owned();
    let is_of = |owned: &str, part: &str| {
        let items = |text: &str| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).map(str::to_owned);
        let array = items(owned).and_then(|array| array.split_once(';').map(|(item, _)| item.trim().to_owned()));
        let all = owned.strip_prefix("Vec<").and_then(|text| text.strip_suffix('>')).map(str::to_owned).or(array);
        pairs.contains(&(bare(owned).as_str(), bare(part).as_str())) || (all.is_some() && all == items(part))
    };
    let same = |one: &str, other: &str| {
        let is_name = |text: &str| !text.contains(['<', '(', '[', ' ']);
        let is_object = |one: &str, other: &str| other.strip_prefix(one).is_some_and(|rest| rest.starts_with(" + "));
        one == other
            || (is_name(one) && is_name(other) && bare(one) == bare(other))
            || is_of(one, other)
            || is_of(other, one)
            || (one.starts_with("dyn ") && (is_object(one, other) || is_object(other, one)))
    };
    let is_within =
        |whole: &str, part: &str| std::iter::successors(Some(whole), |text| within(text)).any(|text| same(text, part));
    let in_tuple = parts(there).iter().any(|part| same(part, asked));
    is_within(there, asked) || is_within(asked, there) || in_tuple
}

/// What a holder of Rust's own holds.
fn within(text: &str) -> Option<&str> {
    const HOLDERS: [&str; 11] =
        ["Arc", "Rc", "Box", "Option", "Cow", "Mutex", "RwLock", "RefCell", "Cell", "Vec", "OnceLock"];
    let (name, inner) = text.strip_suffix('>')?.split_once('<')?;
    HOLDERS.contains(&name.rsplit("::").next().unwrap_or(name)).then_some(inner)
}

/// The parts of a tuple.
fn parts(text: &str) -> Vec<&str> {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return Vec::new() };
    let mut depth = 0;
    let is_between = |sign: char| {
        match sign {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        sign == ',' && depth == 0
    };
    inner.split(is_between).map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_type_that_is_written_almost_alike_is_near() {
        for (there, asked) in [
            ("Arc<Db>", "Db"),
            ("Arc<RwLock<Db>>", "Db"),
            ("Db", "std::sync::Arc<Mutex<Db>>"),
            ("Arc<dyn Store + Send + Sync>", "dyn Store"),
            ("Box<dyn Store>", "dyn Store + Send"),
            ("String", "str"),
            ("Arc<String>", "str"),
            ("std::path::PathBuf", "Path"),
            ("Vec<u8>", "[u8]"),
            ("[u8 ; 4]", "[u8]"),
            ("(User, Vec<u8>)", "User"),
            ("a::User", "b::User"),
        ] {
            assert!(is_near(there, asked), "{there} and {asked}");
        }
        for (there, asked) in [
            ("Db", "Keys"),
            ("Vec<u8>", "[u16]"),
            ("HashMap<u8, Db>", "Db"),
            ("dyn Store", "dyn Storage"),
            ("(User, u8)", "u16"),
            ("Of<a::T>", "T"),
        ] {
            assert!(!is_near(there, asked), "{there} and {asked}");
        }
    }
}
