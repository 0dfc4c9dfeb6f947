//! A function that takes a `T` and returns a `T`, before the end of its row: what it returns is stored where the value
//! stood. So the scope has one `T` all the time, and nothing has to be told apart by the place of the node that asks.

use super::Plan;
use super::data::{BlockInfo, BlockKind, Step};
use super::level::{Back, Level, Wire};
use super::slot::Slot;

/// Finds the places of the values that these nodes take and give back.
pub(super) fn backs(
    nodes: &[(usize, usize)],
    levels: &[Level],
    steps: &[Step],
    blocks: &[BlockInfo],
    wires: &[Option<Vec<Wire>>],
) -> Vec<Back> {
    let backs = nodes.iter().map(|(position, parameter)| {
        let step = &steps[*position];
        // If the node is left early, the run goes on without the value.
        let is_plain = step.cancel.is_none() && step.timeout.is_none() && step.open.is_none();
        let wire = wires[*position].as_ref().map(|wires| wires[*parameter]);
        let into = wire
            .filter(|wire| is_plain && !step.may_be_skipped() && !is_wrapped(levels, blocks, step.level, wire.level));
        Back { position: *position, into }
    });
    backs.collect()
}

/// Whether a node wraps a block between these two levels: it may give up its block, and the value in it.
fn is_wrapped(levels: &[Level], blocks: &[BlockInfo], inner: usize, outer: usize) -> bool {
    let out = |level: &usize| levels[*level].outer.as_ref().map(|outer| outer.level);
    let mut between = std::iter::successors(Some(inner), out).take_while(|level| *level != outer);
    // A block's level comes after the chain's level, 0.
    between.any(|level| blocks[level - 1].kind == BlockKind::Around)
}

impl Plan<'_> {
    /// Whether this node gives a value back, and the value's slot, if the node can do so.
    pub(crate) fn gives_back(&self, position: usize) -> Option<Option<&Slot>> {
        let back = self.backs.iter().find(|back| back.position == position)?;
        Some(back.into.map(|wire| &self.levels[wire.level].slots[wire.slot]))
    }
}
