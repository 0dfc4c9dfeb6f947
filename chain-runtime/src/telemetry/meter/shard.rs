//! [`Shard`]: what a thread has counted, for all runs that ended on it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::OnceLock;
use std::vec::Vec;

use histogram::{AtomicHistogram, Histogram};

use super::record::{AllocatedCell, Cells, Record, add, seen, take};
use crate::describe::ChainInfo;
use crate::telemetry::no_alloc::aside;
use crate::telemetry::pauses::Pause;
use crate::telemetry::snapshot::{CAUSES, PauseTotals};
use crate::telemetry::times::{CONFIG, LONGEST};
use crate::telemetry::{Allocated, Clock, NodeTotals, Snapshot, Times};

/// Counters that one thread writes, by plain moves, and any thread reads. Only the buckets use the crate's atomic
/// addition. Since no other thread writes them, that takes no longer.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) started: AtomicU64,
    pub(super) ended: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) panicked: AtomicU64,
    own: AtomicU64,
    own_allocated: AllocatedCell,
    pub(super) own_pauses: Pauses,
    took: Series,
    pub(super) nodes: Box<[Node]>,
    blocks: Box<[AtomicU64]>,
}

/// What is counted of a node.
#[derive(Debug, Default)]
pub(super) struct Node {
    entered: AtomicU64,
    /// Running in and out, and waiting in and out.
    times: [Series; 4],
    allocated: [AllocatedCell; 2],
    broke: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    skipped: AtomicU64,
    late: AtomicU64,
    detached: AtomicU64,
    shed: AtomicU64,
    opened: AtomicU64,
    tries: AtomicU64,
    pub(super) replied: AtomicU64,
    pub(super) cut_short: AtomicU64,
    pub(super) died: AtomicU64,
    pub(super) pauses: Pauses,
}

/// How often something was paused, and for how many nanoseconds, by cause.
#[derive(Debug, Default)]
pub(super) struct Pauses([[AtomicU64; 2]; CAUSES.len()]);

impl Pauses {
    pub(super) fn add(&self, pause: &Pause) {
        if let Some(index) = CAUSES.iter().position(|cause| *cause == pause.cause) {
            let [times, nanos] = &self.0[index];
            add(times, 1);
            add(nanos, pause.likely);
        }
    }

    fn add_to(&self, all: &mut PauseTotals) {
        for (index, [times, nanos]) in self.0.iter().enumerate() {
            if let Some(all) = all.at(index) {
                all.0 += times.load(Relaxed);
                all.1 = all.1.saturating_add(nanos.load(Relaxed));
            }
        }
    }
}

/// How long something took, each time: the sum in ticks, and nanoseconds in buckets. The buckets are made when the
/// thing happens for the first time. So a node that never waits has no buckets for waiting.
#[derive(Debug, Default)]
struct Series {
    ticks: AtomicU64,
    buckets: OnceLock<AtomicHistogram>,
}

impl Series {
    #[inline(always)]
    fn took<C: Clock>(&self, clock: &C, ticks: u64) {
        add(&self.ticks, ticks);
        let buckets = match self.buckets.get() {
            Some(buckets) => buckets,
            None => self.first(),
        };
        // A time longer than the longest counts as the longest.
        let _ = buckets.increment(clock.nanos(ticks).min(LONGEST));
    }

    #[cold]
    fn first(&self) -> &AtomicHistogram {
        aside(|| self.buckets.get_or_init(|| AtomicHistogram::with_config(&CONFIG)))
    }

    fn add_to(&self, all: &mut Sum) {
        all.ticks = all.ticks.saturating_add(self.ticks.load(Relaxed));
        if let Some(buckets) = self.buckets.get() {
            let buckets = buckets.load();
            match &mut all.buckets {
                Some(all) => _ = all.checked_add_assign(&buckets),
                none => *none = Some(buckets),
            }
        }
    }
}

impl AllocatedCell {
    #[inline(always)]
    fn moves_to(&self, other: &Self) {
        // Most nodes allocate nothing.
        if self.bytes.load(Relaxed) | self.calls.load(Relaxed) != 0 {
            add(&other.bytes, take(&self.bytes));
            add(&other.calls, take(&self.calls));
        }
    }

    fn add_to(&self, all: &mut Allocated) {
        *all += Allocated { bytes: self.bytes.load(Relaxed), calls: self.calls.load(Relaxed) };
    }
}

impl Shard {
    pub(super) fn new(chain: &'static ChainInfo) -> Self {
        Self {
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            own: AtomicU64::new(0),
            own_allocated: AllocatedCell::default(),
            own_pauses: Pauses::default(),
            took: Series::default(),
            nodes: chain.nodes.iter().map(|_| Node::default()).collect(),
            blocks: chain.blocks.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Takes over the sums of a run, which took `took` ticks in all. The record is empty then.
    #[inline(always)]
    pub(super) fn folds<C: Clock, const COUNTS: bool>(&self, record: &Record, clock: &C, took: u64) {
        let Some((own, cells)) = record.cells.split_first() else { return };
        if !C::STANDS_STILL {
            add(&self.own, take(&own.ticks[0]));
            self.took.took(clock, took);
        }
        if COUNTS && let Some([own, _]) = record.allocated.first() {
            own.moves_to(&self.own_allocated);
        }
        for (position, (node, cell)) in self.nodes.iter().zip(cells).enumerate() {
            if cell.seen.load(Relaxed) != 0 {
                node.folds::<C, COUNTS>(record, cell, position, clock);
            }
        }
        for (all, one) in self.blocks.iter().zip(&record.blocks) {
            let times = one.load(Relaxed);
            if times != 0 {
                one.store(0, Relaxed);
                add(all, u64::from(times));
            }
        }
        add(&self.ended, 1);
    }
}

impl Node {
    #[inline(always)]
    pub(super) fn folds<C: Clock, const COUNTS: bool>(
        &self,
        record: &Record,
        cell: &Cells,
        position: usize,
        clock: &C,
    ) {
        let what = cell.seen.load(Relaxed);
        cell.seen.store(0, Relaxed);
        if what & seen::ENTERED != 0 {
            add(&self.entered, 1);
            if !C::STANDS_STILL {
                self.times[0].took(clock, take(&cell.ticks[0]));
            }
        }
        if !C::STANDS_STILL && what & (seen::OUT | seen::WAITED_IN | seen::WAITED_OUT) != 0 {
            for kind in 1..4 {
                if what & (1 << kind) != 0 {
                    self.times[kind].took(clock, take(&cell.ticks[kind]));
                }
            }
        }
        if COUNTS && let Some(allocated) = record.allocated.get(position + 1) {
            allocated.iter().zip(&self.allocated).for_each(|(one, all)| one.moves_to(all));
        }
        if what >= seen::BROKE {
            self.folds_rare(what);
        }
    }

    #[cold]
    fn folds_rare(&self, what: u32) {
        for (bit, counter) in [
            (seen::BROKE, &self.broke),
            (seen::CANCELLED, &self.cancelled),
            (seen::PANICKED, &self.panicked),
            (seen::SKIPPED, &self.skipped),
            (seen::LATE, &self.late),
            (seen::DETACHED, &self.detached),
            (seen::SHED, &self.shed),
            (seen::OPENED, &self.opened),
        ] {
            add(counter, u64::from(what & bit != 0));
        }
        add(&self.tries, u64::from(what / seen::TRY));
    }
}

/// The sums of the [`Series`] of several shards.
#[derive(Default)]
struct Sum {
    ticks: u64,
    buckets: Option<Histogram>,
}

impl Sum {
    fn of<'a, C: Clock>(series: impl Iterator<Item = &'a Series>, clock: &C) -> Times {
        let mut all = Self::default();
        series.for_each(|one| one.add_to(&mut all));
        all.buckets.map_or(Times::NEVER, |buckets| Times::new(buckets, clock.nanos(all.ticks)))
    }
}

/// Adds up what all threads have counted.
pub(super) fn read<C: Clock>(into: &mut Snapshot, shards: &[&Shard], clock: &C) {
    let sum = |counter: fn(&Shard) -> &AtomicU64| shards.iter().map(|shard| counter(shard).load(Relaxed)).sum::<u64>();
    // Runs that ended are read before those that started, so that they are never more.
    into.ended = sum(|shard| &shard.ended);
    into.cancelled = sum(|shard| &shard.cancelled);
    into.panicked = sum(|shard| &shard.panicked);
    into.own = clock.nanos(sum(|shard| &shard.own));
    shards.iter().for_each(|shard| shard.own_allocated.add_to(&mut into.own_allocated));
    shards.iter().for_each(|shard| shard.own_pauses.add_to(&mut into.own_pauses));
    into.took = Sum::of(shards.iter().map(|shard| &shard.took), clock);
    for (position, totals) in into.nodes.iter_mut().enumerate() {
        node(totals, &shards.iter().filter_map(|shard| shard.nodes.get(position)).collect::<Vec<_>>(), clock);
    }
    for (index, all) in into.blocks.iter_mut().enumerate() {
        *all = shards.iter().filter_map(|shard| shard.blocks.get(index)).map(|block| block.load(Relaxed)).sum();
    }
    into.started = sum(|shard| &shard.started);
}

fn node<C: Clock>(totals: &mut NodeTotals, nodes: &[&Node], clock: &C) {
    let sum = |counter: fn(&Node) -> &AtomicU64| nodes.iter().map(|node| counter(node).load(Relaxed)).sum::<u64>();
    totals.broke = sum(|node| &node.broke);
    totals.cancelled = sum(|node| &node.cancelled);
    totals.panicked = sum(|node| &node.panicked);
    totals.skipped = sum(|node| &node.skipped);
    totals.late = sum(|node| &node.late);
    totals.detached = sum(|node| &node.detached);
    totals.shed = sum(|node| &node.shed);
    totals.opened = sum(|node| &node.opened);
    totals.tries = sum(|node| &node.tries);
    totals.replied = sum(|node| &node.replied);
    totals.cut_short = sum(|node| &node.cut_short);
    totals.died = sum(|node| &node.died);
    nodes.iter().for_each(|node| node.pauses.add_to(&mut totals.pauses));
    totals.entered = sum(|node| &node.entered);
    for (way, totals) in [&mut totals.way_in, &mut totals.way_out].into_iter().enumerate() {
        totals.running = Sum::of(nodes.iter().map(|node| &node.times[way]), clock);
        totals.waiting = Sum::of(nodes.iter().map(|node| &node.times[way + 2]), clock);
        nodes.iter().for_each(|node| node.allocated[way].add_to(&mut totals.allocated));
    }
}
