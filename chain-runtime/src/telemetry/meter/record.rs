//! [`Record`]: what a run adds up while it is under way.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use crate::describe::{ChainInfo, NodeInfo};
use crate::observe::{Stretch, Way};
use crate::telemetry::Allocated;
use crate::telemetry::pauses::Pause;
use crate::telemetry::trace_context::HandedCells;

/// What happened to a node since it was entered. The first four say also which of its times there are, in the order of [`Cells::ticks`].
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
    /// Added once for each time that its block began.
    pub(in super::super) const TRY: u32 = 1 << 16;
}

/// A stretch as a number: four for each node behind those of the chain, running in, running out, waiting in and waiting out.
pub(super) type Place = u32;

/// The chain's own stretch.
pub(super) const CHAIN: Place = 0;

/// Whether the run waits there.
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
        // The chain's; any other that there may be one day is nobody else's either.
        _ => CHAIN,
    }
}

/// In a list of boundaries: a place in the upper bits, and since when in ticks from the run's beginning.
const TICKS: u32 = 48;

#[inline(always)]
pub(super) fn packed(place: Place, since: u64) -> u64 {
    u64::from(place) << TICKS | since.min((1 << TICKS) - 1)
}

pub(super) fn unpacked(boundary: u64) -> (Place, u64) {
    ((boundary >> TICKS) as Place, boundary & ((1 << TICKS) - 1))
}

/// The most nodes whose stretches can be told apart in a list of boundaries.
const MOST_NODES: usize = (1 << (64 - TICKS)) / 4 - 1;

/// What one run has taken so far. It is written by whoever polls the run, by plain moves: whoever hands the run on to another thread orders
/// them.
#[derive(Debug)]
pub(super) struct Record {
    /// The stretch that is.
    pub(super) now: AtomicU32,
    /// Since when it is.
    pub(super) since: AtomicU64,
    pub(super) began: AtomicU64,
    /// What this thread had allocated then.
    bytes: AtomicU64,
    calls: AtomicU64,
    /// Who died first of those that died last, see [`Death`].
    death: AtomicU64,
    /// How many boundaries there were, also those that the list has no place for.
    pub(super) boundaries: AtomicU32,
    pub(super) list: Box<[AtomicU64]>,
    /// The chain's, and behind it each node's.
    pub(super) cells: Box<[Cells]>,
    /// In and out; as many as there are cells, or none.
    pub(super) allocated: Box<[[AllocatedCell; 2]]>,
    pub(super) blocks: Box<[AtomicU32]>,
    /// What is known of its request.
    pub(super) handed: HandedCells,
    /// What paused it, and where. The lock is only there since the record is shared: nobody waits for it.
    paused: AtomicU32,
    pauses: Mutex<Vec<(Place, Pause)>>,
}

/// The most pauses that a run has.
pub(super) const PAUSES: usize = 16;

/// What a node has taken so far, in a cache line.
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

/// Adds to a counter that nobody else writes. One that is full stays so: ten thousand runs that wait at once fill one of ticks within days.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).saturating_add(more), Relaxed);
}

/// Takes out what a counter has that nobody else writes.
#[inline(always)]
pub(super) fn take(counter: &AtomicU64) -> u64 {
    let value = counter.load(Relaxed);
    counter.store(0, Relaxed);
    value
}

/// Of a run that died: in which node, and whether that one panicked.
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

    /// So much of what is allocated in this stretch is nobody's.
    pub(super) fn leaves_out(&self, allocated: Allocated) {
        add(&self.bytes, allocated.bytes);
        add(&self.calls, allocated.calls);
    }

    /// What was allocated in the stretch that ends, whose it is.
    #[inline(always)]
    pub(super) fn allocates_to(&self, now: Place, allocated: Allocated) {
        if let Some(cell) = self.allocated.get(now as usize / 4) {
            let cell = &cell[now as usize & 1];
            add(&cell.bytes, allocated.bytes.wrapping_sub(self.bytes.load(Relaxed)));
            add(&cell.calls, allocated.calls.wrapping_sub(self.calls.load(Relaxed)));
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

    /// Something paused it there.
    pub(super) fn pauses(&self, place: Place, pause: Pause) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        if pauses.len() < pauses.capacity() {
            pauses.push((place, pause));
            self.paused.store(1, Relaxed);
        }
    }

    /// What paused it, where something did.
    pub(super) fn paused(&mut self) -> &[(Place, Pause)] {
        self.pauses.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something paused it.
    pub(super) fn was_paused(&self) -> bool {
        self.paused.load(Relaxed) != 0
    }

    /// Nothing has paused it any more.
    #[inline(always)]
    pub(super) fn forgets_pauses(&mut self) {
        if *self.paused.get_mut() != 0 {
            *self.paused.get_mut() = 0;
            self.pauses.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Those that die together are told from the last that was entered to the first, so their positions fall. Where they do not, others
    /// died before, and the run went on.
    pub(super) fn dies(&self, node: &NodeInfo, panicked: bool) {
        let (last, position) = (self.death.load(Relaxed) >> 33, node.position as u64 + 1);
        let first = match self.death.load(Relaxed) & ((1 << 33) - 1) {
            first if first != 0 && position < last => first,
            _ => position << 1 | u64::from(panicked),
        };
        self.death.store(position << 33 | first, Relaxed);
    }

    /// The run went on after others died.
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
        // More than there is place for are not counted: what was seen beside them stays as it is.
        self.seen.store(seen.checked_add(seen::TRY).unwrap_or(seen), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::{Facts, Seen};

    const SEEN: Seen = Seen { facts: Facts::new("node"), needs: &[], exit_needs: &[] };
    static NODES: [NodeInfo; 3] =
        [NodeInfo::of("around", 0, SEEN), NodeInfo::of("first", 1, SEEN), NodeInfo::of("second", 2, SEEN)];
    static CHAIN: ChainInfo =
        ChainInfo { name: "Chain", inputs: &[], fields: &[], reply: "()", nodes: &NODES, blocks: &[], sheds: &[] };

    #[test]
    fn a_run_dies_where_the_last_that_died_together_began() {
        let record = Record::new(&CHAIN, 0, false);
        assert_eq!(record.death(), None);
        for position in [2, 1] {
            record.dies(&NODES[position], false);
        }
        assert_eq!(record.death(), Some(Death { position: 2, panicked: false }));
        // Once more into the block, and its first node panics.
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
