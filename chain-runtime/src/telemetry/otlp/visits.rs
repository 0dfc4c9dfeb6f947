//! [`Visit`]: the stretches of a run, combined to the times in which a node was on its way in or out.

use std::time::Duration;
use std::vec::Vec;

use crate::describe::{BlockKind, ChainInfo, NodeInfo, Role};
use crate::observe::Way;
use crate::telemetry::{Kept, Whose};

/// One way of a node, once. A node around a block is visited once for all of its tries, and the visits in its block lie
/// inside of that visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) node: &'static NodeInfo,
    /// For a node around a block this is the way in, and what it does on its way out belongs to the same visit.
    pub(super) way: Way,
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) running: Duration,
    pub(super) waiting: Duration,
    /// The visit that contains it.
    pub(super) parent: Option<usize>,
}

impl Visit {
    /// How long it lasted, including its block.
    pub(super) fn length(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// In the order in which they began, so a visit comes after the one that contains it.
pub(super) fn visits(run: &Kept) -> Vec<Visit> {
    let mut all: Vec<Visit> = Vec::new();
    // The visits that are not over, the innermost last: all but the last are around a block.
    let mut open: Vec<usize> = Vec::new();
    for stretch in &run.stretches {
        let (position, way, waits) = match stretch.whose {
            Whose::Running(position, way) => (position, way, false),
            Whose::Waiting(position, way) => (position, way, true),
            // The visits that contain it go on.
            Whose::Chain => continue,
        };
        let Some(node) = run.chain.nodes.get(position) else { continue };
        let way = if is_around(node) { Way::In } else { way };
        let (length, end) = (stretch.length, stretch.start + stretch.length);
        // A visit that is neither this one nor contains it is over.
        while let Some(visit) = open.last().and_then(|open| all.get(*open)) {
            let is_it = visit.node.position == position && visit.way == way;
            if is_it || is_around(visit.node) && is_within(run.chain, node, visit.node) {
                break;
            }
            open.pop();
        }
        for visit in &open {
            all[*visit].end = end;
        }
        let last = open.last().copied();
        let index = match last {
            Some(last) if all[last].node.position == position => last,
            parent => {
                let nothing = Duration::ZERO;
                all.push(Visit { node, way, start: stretch.start, end, running: nothing, waiting: nothing, parent });
                open.push(all.len() - 1);
                all.len() - 1
            }
        };
        let visit = &mut all[index];
        *if waits { &mut visit.waiting } else { &mut visit.running } += length;
    }
    all
}

const fn is_around(node: &NodeInfo) -> bool {
    matches!(node.role, Role::Around)
}

/// Whether the node stands in the block that the other node wraps, or in a block inside of that.
fn is_within(chain: &ChainInfo, node: &NodeInfo, head: &NodeInfo) -> bool {
    let blocks = core::iter::successors(node.block, |block| chain.blocks.get(*block).and_then(|block| block.parent));
    let mut blocks = blocks.filter_map(|block| chain.blocks.get(block));
    blocks.any(|block| block.kind == BlockKind::Around && block.head == Some(head.position))
}
