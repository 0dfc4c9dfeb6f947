//! [`Record`]: the sums of a run while it is under way.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use crate::describe::{ChainInfo, NodeInfo};
use crate::observe::{Stretch, Way};
use crate::telemetry::Allocated;
use crate::telemetry::pauses::Pause;
use crate::telemetry::trace_context::HandedCells;

/// What happened to a node since it was entered. The first four bits also say which of the node's times there are, in
/// the order of [`Cells::ticks`].
pub(super) mod seen {
    pub(in super::super) const ENTERED: u32 = 1;
    pub(in super::super) const OUT: u32 = 1 << 1;
    pub(in super::super) const WAITED_IN: u32 = 1 << 2;
    pub(in super::super) const WAITED_OUT: u32 = 1 << 3;
    pub(in super::super) const BROKE: u32 = 1 << 4;
    pub(in super::super) const CANCELLED: u32 = 1 << 5;
    pub(in super::super) const PANICKED: u32 = 1 << 6;
    pub(in super::super) const SKIPPED: u32 = 1 << 7;
    pub(in super::super) const LATE: u32 = 1 << 8;
    pub(in super::super) const DETACHED: u32 = 1 << 9;
    pub(in super::super) const SHED: u32 = 1 << 10;
    pub(in super::super) const OPENED: u32 = 1 << 11;
    /// Added each time that the node's block began.
    pub(in super::super) const TRY: u32 = 1 << 16;
}

/// A stretch as a number: four numbers for each node, after those of the chain: running in, running out, waiting in and
/// waiting out.
pub(super) type Place = u32;

/// The chain's own stretch.
pub(super) const CHAIN: Place = 0;

/// Whether the run waits in this stretch.
#[inline(always)]
pub(super) const fn waits(place: Place) -> bool {
    place & 2 != 0
}

#[inline(always)]
pub(super) fn place(stretch: Stretch) -> Place {
    let of = |node: &NodeInfo, kind: Place| (node.position as Place + 1) * 4 + kind;
    match stretch {
        Stretch::Running(node, Way::In) => of(node, 0),
        Stretch::Running(node, Way::Out) => of(node, 1),
        Stretch::Waiting(node, Way::In) => of(node, 2),
        Stretch::Waiting(node, Way::Out) => of(node, 3),
        // The chain's; a kind that may be added one day belongs to no node either.
        _ => CHAIN,
    }
}

/// In a list of boundaries, the place is in the upper bits, and below it the time of the boundary, in ticks from the
/// run's beginning.
const TICKS: u32 = 48;

#[inline(always)]
pub(super) fn packed(place: Place, since: u64) -> u64 {
    u64::from(place) << TICKS | since.min((1 << TICKS) - 1)
}

pub(super) fn unpacked(boundary: u64) -> (Place, u64) {
    ((boundary >> TICKS) as Place, boundary & ((1 << TICKS) - 1))
}

/// The largest number of nodes whose stretches can be told apart in a list of boundaries.
const MOST_NODES: usize = (1 << (64 - TICKS)) / 4 - 1;

/// What one run has taken so far. The code that polls the run writes it, by plain moves. Handing the run to another
/// thread orders these.
#[derive(Debug)]
pub(super) struct Record {
    /// The present stretch.
    pub(super) now: AtomicU32,
    /// The beginning of the present stretch.
    pub(super) since: AtomicU64,
    pub(super) began: AtomicU64,
    /// What this thread had allocated at that moment.
    bytes: AtomicU64,
    calls: AtomicU64,
    /// The first node among those that died last, see [`Death`].
    death: AtomicU64,
    /// The number of boundaries, including those for which the list has no room.
    pub(super) boundaries: AtomicU32,
    pub(super) list: Box<[AtomicU64]>,
    /// The chain's, followed by those of the nodes.
    pub(super) cells: Box<[Cells]>,
    /// For the way in and the way out; as many as there are cells, or none.
    pub(super) allocated: Box<[[AllocatedCell; 2]]>,
    pub(super) blocks: Box<[AtomicU32]>,
    /// What is known of its request.
    pub(super) handed: HandedCells,
    /// What paused it, and where. The lock is there only because the record is shared: it is never waited for.
    paused: AtomicU32,
    pauses: Mutex<Vec<(Place, Pause)>>,
}

/// The largest number of pauses that a run keeps.
pub(super) const PAUSES: usize = 16;

/// What a node has taken so far, in one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Cells {
    pub(super) ticks: [AtomicU64; 4],
    pub(super) seen: AtomicU32,
}

#[derive(Debug, Default)]
pub(super) struct AllocatedCell {
    pub(super) bytes: AtomicU64,
    pub(super) calls: AtomicU64,
}

/// Adds to a counter that only one place writes. A full counter stays full: ten thousand runs that wait at once fill a
/// counter of ticks within days.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).saturating_add(more), Relaxed);
}

/// The same for what one run has taken, which fills no counter.
#[inline(always)]
pub(super) fn plus(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

/// Takes the value out of a counter that only one place writes.
#[inline(always)]
pub(super) fn take(counter: &AtomicU64) -> u64 {
    let value = counter.load(Relaxed);
    counter.store(0, Relaxed);
    value
}

/// For a run that died: in which node, and whether that node panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Death {
    pub(super) position: usize,
    pub(super) panicked: bool,
}

impl Record {
    pub(super) fn new(chain: &'static ChainInfo, boundaries: usize, counts: bool) -> Self {
        let cells = chain.nodes.len() + 1;
        let boundaries = if cells <= MOST_NODES { boundaries } else { 0 };
        Self {
            now: AtomicU32::new(CHAIN),
            since: AtomicU64::new(0),
            began: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            death: AtomicU64::new(0),
            boundaries: AtomicU32::new(0),
            list: (0..boundaries).map(|_| AtomicU64::new(0)).collect(),
            cells: (0..cells).map(|_| Cells::default()).collect(),
            allocated: (0..if counts { cells } else { 0 }).map(|_| Default::default()).collect(),
            blocks: chain.blocks.iter().map(|_| AtomicU32::new(0)).collect(),
            handed: HandedCells::default(),
            paused: AtomicU32::new(0),
            pauses: Mutex::new(Vec::with_capacity(if boundaries == 0 { 0 } else { PAUSES })),
        }
    }

    #[inline(always)]
    pub(super) fn begin(&self, ticks: u64, allocated: Allocated) {
        self.now.store(CHAIN, Relaxed);
        self.since.store(ticks, Relaxed);
        self.began.store(ticks, Relaxed);
        self.allocates_from(allocated);
        self.death.store(0, Relaxed);
        self.handed.clear();
        self.boundaries.store(0, Relaxed);
    }

    #[inline(always)]
    pub(super) fn allocates_from(&self, allocated: Allocated) {
        self.bytes.store(allocated.bytes, Relaxed);
        self.calls.store(allocated.calls, Relaxed);
    }

    /// So much of what this stretch allocates belongs to no node.
    pub(super) fn leaves_out(&self, allocated: Allocated) {
        add(&self.bytes, allocated.bytes);
        add(&self.calls, allocated.calls);
    }

    /// Adds what the ending stretch allocated to its owner.
    #[inline(always)]
    pub(super) fn allocates_to(&self, now: Place, allocated: Allocated) {
        if let Some(cell) = self.allocated.get(now as usize / 4) {
            let cell = &cell[now as usize & 1];
            plus(&cell.bytes, allocated.bytes.wrapping_sub(self.bytes.load(Relaxed)));
            plus(&cell.calls, allocated.calls.wrapping_sub(self.calls.load(Relaxed)));
        }
    }

    #[inline(always)]
    pub(super) fn node(&self, node: &NodeInfo) -> &Cells {
        &self.cells[node.position + 1]
    }

    #[inline(always)]
    pub(super) fn lists(&self, place: Place, since: u64) {
        let boundaries = self.boundaries.load(Relaxed);
        if let Some(boundary) = self.list.get(boundaries as usize) {
            boundary.store(packed(place, since), Relaxed);
        }
        self.boundaries.store(boundaries.wrapping_add(1), Relaxed);
    }

    /// A pause hit the run there.
    pub(super) fn pauses(&self, place: Place, pause: Pause) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        if pauses.len() < pauses.capacity() {
            pauses.push((place, pause));
            self.paused.store(1, Relaxed);
        }
    }

    /// The pauses that hit the run.
    pub(super) fn paused(&mut self) -> &[(Place, Pause)] {
        self.pauses.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pause hit the run.
    pub(super) fn was_paused(&self) -> bool {
        self.paused.load(Relaxed) != 0
    }

    /// Clears the pauses.
    #[inline(always)]
    pub(super) fn forgets_pauses(&mut self) {
        if *self.paused.get_mut() != 0 {
            *self.paused.get_mut() = 0;
            self.pauses.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Nodes that die together are reported from the last that was entered to the first, so their positions fall. If
    /// they do not fall, the earlier ones died before, and the run went on.
    pub(super) fn dies(&self, node: &NodeInfo, panicked: bool) {
        let (last, position) = (self.death.load(Relaxed) >> 33, node.position as u64 + 1);
        let first = match self.death.load(Relaxed) & ((1 << 33) - 1) {
            first if first != 0 && position < last => first,
            _ => position << 1 | u64::from(panicked),
        };
        self.death.store(position << 33 | first, Relaxed);
    }

    /// The run went on after nodes had died.
    #[inline(always)]
    pub(super) fn lives(&self) {
        self.death.store(0, Relaxed);
    }

    pub(super) fn death(&self) -> Option<Death> {
        let first = self.death.load(Relaxed) & ((1 << 33) - 1);
        let position = usize::try_from(first >> 1).ok()?.checked_sub(1)?;
        Some(Death { position, panicked: first & 1 == 1 })
    }
}

impl Cells {
    #[inline(always)]
    pub(super) fn sees(&self, what: u32) {
        self.seen.store(self.seen.load(Relaxed) | what, Relaxed);
    }

    #[inline(always)]
    pub(super) fn tries(&self) {
        let seen = self.seen.load(Relaxed);
        // If there are more tries than fit, they are not counted, and the other bits stay as they are.
        self.seen.store(seen.checked_add(seen::TRY).unwrap_or(seen), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::{Facts, Names, Seen};

    const SEEN: Seen = Seen { facts: Facts::new("node"), needs: &[], exit_needs: &[] };
    static NODES: [NodeInfo; 3] =
        [NodeInfo::of("around", 0, SEEN), NodeInfo::of("first", 1, SEEN), NodeInfo::of("second", 2, SEEN)];
    static CHAIN: ChainInfo = ChainInfo {
        name: "Chain",
        inputs: &[],
        fields: &[],
        reply: "()",
        nodes: &NODES,
        blocks: &[],
        sheds: &[],
        names: Names::AS_WRITTEN,
    };

    #[test]
    fn a_run_dies_where_the_last_that_died_together_began() {
        let record = Record::new(&CHAIN, 0, false);
        assert_eq!(record.death(), None);
        for position in [2, 1] {
            record.dies(&NODES[position], false);
        }
        assert_eq!(record.death(), Some(Death { position: 2, panicked: false }));
        // The run enters the block once more, and the block's first node panics.
        record.dies(&NODES[1], true);
        record.dies(&NODES[0], false);
        assert_eq!(record.death(), Some(Death { position: 1, panicked: true }));
        record.lives();
        record.dies(&NODES[0], false);
        assert_eq!(record.death(), Some(Death { position: 0, panicked: false }));
    }

    #[test]
    fn more_tries_than_can_be_counted_are_nothing_else() {
        let cell = Cells::default();
        cell.sees(seen::ENTERED);
        for _ in 0..70_000 {
            cell.tries();
        }
        let seen = cell.seen.load(Relaxed);
        assert_eq!((seen % seen::TRY, seen / seen::TRY), (seen::ENTERED, 65_535));
    }

    #[test]
    fn a_boundary_is_packed_with_its_place() {
        for place in [super::CHAIN, 4, 7, 65_535] {
            assert_eq!(unpacked(packed(place, 1 << 40)), (place, 1 << 40));
        }
        assert_eq!(unpacked(packed(3, u64::MAX)), (3, (1 << TICKS) - 1));
    }
}
