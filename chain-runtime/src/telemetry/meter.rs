//! [`Meter`]: counts what each node of a chain takes, while the chain serves.
//!
//! ```text
//!    begin                    a boundary                                    end
//!      │ pop                    │ one reading of the clock                    │ fold
//!   ┌──▼── Record of one run ───▼──────────────────────────────┐   ┌──────────▼── Shard of one thread ──┐
//!   │ ticks of each node: running, waiting; in, out            ├──►│ counters and buckets of each node  │──► Snapshot
//!   │ what was seen of it: entered, broke, .. · list of bounds │   └────────────────────────────────────┘
//!   └──▲───────────────────────────────────────────────────────┘              │ slow or failed: exchange of lists
//!      └───────────── free list of the thread ◄───────────────────────────────┴──► Keeper ──► Kept
//! ```
//!
//! A run writes only to its own record, and a thread only to its own shard, both by plain moves. So no thread waits for
//! another, and none disturbs another one's cache. A shard stays when its thread ends, and the next thread continues
//! with it.

mod builder;
mod keeper;
mod observes;
mod record;
mod shard;

use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::vec::Vec;

use crossbeam_queue::ArrayQueue;
use thread_local::ThreadLocal;

pub use self::builder::Builder;
use self::keeper::{Copied, Keeper};
use self::record::{Record, place, seen, waits};
use self::shard::Shard;
use super::no_alloc::aside;
use super::pauses::{Cause, Ledger, Pause};
use super::{
    Allocated, Allocations, Clock, Keeps, NodeTotals, NotCounted, Outcome, Over, PauseTotals, Sink, Snapshot, Times,
    Tsc,
};
use crate::describe::{ChainInfo, Ending, NodeInfo};
use crate::observe::{Stretch, Way};

/// Records that a thread keeps to itself.
const FREE: usize = 32;
/// Records that all threads share: a record that is taken on one thread and freed on another comes back here.
const DEPOT: usize = 1_024;

/// Counts what each node of a chain takes of time and memory, and how its runs end.
///
/// It is a field of the chain, and is made with the chain's description.
///
/// ```
/// use chain_runtime::telemetry::Meter;
/// use chain_runtime::{chain, node};
///
/// #[node]
/// fn double(input: &u32) -> u64 { u64::from(*input) * 2 }
/// #[node]
/// fn answer(doubled: &u64) -> String { doubled.to_string() }
///
/// chain! {
///     #[observe(meter)]
///     struct Small { meter: Meter }
///     fn(input: u32) -> String { double => answer }
/// }
///
/// let small = Small { meter: Meter::of(Small::CHAIN) };
/// assert_eq!(small.run(21), "42");
///
/// let snapshot = small.meter.snapshot();
/// assert_eq!((snapshot.started, snapshot.ended), (1, 1));
/// assert_eq!(snapshot.nodes[1].way_in.running.count(), 1);
/// ```
///
/// # Cost
///
/// At each boundary it reads the clock, and the counters of allocations if there are some. There are a few moves for
/// each node, and some more for each run. It allocates when a thread uses it for the first time, when more runs are
/// under way than ever before, and when a node takes time in a new way (for instance when it waits for the first time).
/// `benches/observe.rs` measures the cost.
///
/// For each living thread, a node's figures take a fixed amount of memory: 10 kB for each way in which the node takes
/// time.
///
/// # In a panic
///
/// The meter does not panic. A run that panics is counted as such.
pub struct Meter<C: Clock = Tsc, A: Allocations = NotCounted> {
    chain: &'static ChainInfo,
    clock: C,
    allocations: A,
    boundaries: usize,
    locals: ThreadLocal<Local>,
    shards: Mutex<Vec<Arc<Shard>>>,
    depot: ArrayQueue<Box<Record>>,
    keeper: Keeper,
    sink: Option<Arc<dyn Sink>>,
    /// `None` if pauses are not looked for.
    ledger: Option<Arc<Ledger<C>>>,
    /// The ledger is asked about a stretch of at least so many ticks; `u64::MAX` without a ledger.
    long: u64,
    foreign: AtomicU64,
}

/// A thread's part of a meter. It is padded, so that no two threads write to one cache line.
#[repr(align(128))]
struct Local {
    shard: Arc<Shard>,
    #[allow(clippy::vec_box, reason = "a run takes the box with it, and moves")]
    free: RefCell<Vec<Box<Record>>>,
}

/// One run of a chain that is measured.
#[derive(Debug)]
pub struct Run(Option<Box<Record>>);

impl<C: Clock, A: Allocations> Meter<C, A> {
    const COUNTS: bool = A::BYTES || A::CALLS;
    const MEASURES: bool = Self::COUNTS || !C::STANDS_STILL;

    /// The chain that it measures.
    pub const fn chain(&self) -> &'static ChainInfo {
        self.chain
    }

    /// Its clock.
    pub const fn clock(&self) -> &C {
        &self.clock
    }

    /// What was counted up to now. It allocates, but does not disturb the measured threads.
    pub fn snapshot(&self) -> Snapshot {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut snapshot = Snapshot {
            chain: self.chain,
            at: SystemTime::now(),
            covers: 0,
            is_timed: !C::STANDS_STILL,
            is_counted: (A::BYTES, A::CALLS),
            one_in: 1,
            started: 0,
            ended: 0,
            cancelled: 0,
            panicked: 0,
            foreign: self.foreign.load(Relaxed),
            took: Times::NEVER,
            own: 0,
            own_allocated: Allocated::NOTHING,
            own_pauses: PauseTotals::default(),
            nodes: self.chain.nodes.iter().map(NodeTotals::of).collect(),
            blocks: self.chain.blocks.iter().map(|_| 0).collect(),
        };
        shard::read(&mut snapshot, &shards.iter().map(|shard| &**shard).collect::<Vec<_>>(), &self.clock);
        snapshot
    }

    /// The runs that are kept. While they are copied, other runs that would be kept are [missed](Keeps::missed).
    pub fn kept(&self) -> Keeps {
        self.keeper.read(self.chain, &self.clock, self.ledger.as_deref())
    }

    /// Drops the kept runs, so that the slowest from now on are found.
    pub fn forget_kept(&self) {
        self.keeper.clear();
    }

    /// How many threads have counters: as many as have measured at the same time.
    #[doc(hidden)]
    pub fn shards(&self) -> usize {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    #[inline(always)]
    fn local(&self) -> &Local {
        self.locals.get().unwrap_or_else(|| self.first_on_this_thread())
    }

    #[cold]
    fn first_on_this_thread(&self) -> &Local {
        let first = || {
            let shard = Arc::new(Shard::new(self.chain));
            self.shards.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shard));
            Local { shard, free: RefCell::new(Vec::with_capacity(FREE)) }
        };
        aside(|| self.locals.get_or(first))
    }

    /// Called if no record is free on this thread.
    #[cold]
    fn record(&self) -> Box<Record> {
        let another = || Box::new(Record::new(self.chain, self.boundaries, Self::COUNTS));
        self.depot.pop().unwrap_or_else(|| aside(another))
    }

    /// A stretch ends here, and the one at this place begins.
    #[inline(always)]
    fn passes(&self, record: &Record, next: u32) -> u64 {
        let last = record.since.load(Relaxed);
        // Another core's counter may be slightly behind.
        let ticks = if C::STANDS_STILL { 0 } else { self.clock.now().max(last) };
        let now = record.now.load(Relaxed);
        // A node that waits allocates nothing, and may go on on another thread, which has other counters.
        let mut allocated = Allocated::NOTHING;
        if Self::COUNTS && !waits(now) {
            allocated = self.allocations.now();
            record.allocates_to(now, allocated);
        }
        let mut is_dear = waits(now);
        if !C::STANDS_STILL {
            record::plus(&record.cells[now as usize / 4].ticks[now as usize % 4], ticks - last);
            record.since.store(ticks, Relaxed);
            if ticks - last >= self.long {
                aside(|| self.was_long(record, now, last, ticks));
                is_dear = true;
            }
            if waits(now) {
                self.polls(ticks);
            }
        }
        if Self::COUNTS {
            // What the ledger has allocated in between belongs to no node.
            record.allocates_from(if is_dear { self.allocations.now() } else { allocated });
        }
        record.now.store(next, Relaxed);
        ticks
    }

    #[inline(always)]
    fn stretch(&self, record: &Record, next: Stretch) {
        if !Self::MEASURES {
            return;
        }
        let place = place(next);
        let ticks = self.passes(record, place);
        if self.boundaries != 0 {
            record.lists(place, ticks - record.began.load(Relaxed));
        }
        match next {
            Stretch::Running(node, Way::Out) => record.node(node).sees(seen::OUT),
            Stretch::Waiting(node, Way::In) => record.node(node).sees(seen::WAITED_IN),
            Stretch::Waiting(node, Way::Out) => record.node(node).sees(seen::WAITED_OUT),
            _ => {}
        }
    }

    /// A poll begins on this thread.
    #[inline(always)]
    fn polls(&self, ticks: u64) {
        if let Some(ledger) = &self.ledger {
            aside(|| ledger.began(ticks));
        }
    }

    /// A stretch was too long: the ledger is asked why. A stretch of running is explained now. After a stretch of
    /// waiting, the poll may have been late.
    #[cold]
    fn was_long(&self, record: &Record, place: u32, began: u64, ticks: u64) {
        let Some(ledger) = &self.ledger else { return };
        let (shard, watch) = (&self.local().shard, ledger.watch());
        let waited = waits(place);
        if !waited {
            watch.ended(began, ticks);
        }
        let totals = match (place as usize / 4).checked_sub(1) {
            Some(position) => shard.nodes.get(position).map(|node| &node.pauses),
            None => Some(&shard.own_pauses),
        };
        // Every pause that was found just now ends now. A late poll ended the wait. Other tasks on this thread were
        // late while this one still had to wait.
        let is_its = |pause: &Pause| match pause.cause {
            Cause::Late => waited && pause.start >= began && ticks.saturating_sub(pause.end) <= self.long,
            _ => !waited && pause.start >= began && pause.end == ticks,
        };
        ledger.during(watch.number(), began, ticks, |pause| {
            if is_its(pause) {
                totals.inspect(|totals| totals.add(pause));
                record.pauses(place, *pause);
            }
        });
    }

    /// The node begins once more in this run, so its time up to now is counted.
    #[cold]
    fn again(&self, record: &Record, node: &'static NodeInfo) {
        if let Some(all) = self.local().shard.nodes.get(node.position) {
            let before = if Self::COUNTS { self.allocations.now() } else { Allocated::NOTHING };
            self.folds(all, record, node.position);
            if Self::COUNTS {
                // The node is in the middle of a stretch, and has not allocated this.
                record.leaves_out(self.allocations.now() - before);
            }
        }
    }

    #[inline(always)]
    fn folds(&self, node: &shard::Node, record: &Record, position: usize) {
        let cell = &record.cells[position + 1];
        if Self::COUNTS {
            node.folds::<C, true>(record, cell, position, &self.clock);
        } else {
            node.folds::<C, false>(record, cell, position, &self.clock);
        }
    }

    #[inline(always)]
    fn outcome(&self, shard: &Shard, record: &Record, ending: Option<&'static Ending>) -> Outcome {
        let Some(ending) = ending else { return self.died(shard, record) };
        let by = ending.by();
        let node = shard.nodes.get(by.position);
        if ending.is_cut_short() {
            node.inspect(|node| record::add(&node.cut_short, 1));
            Outcome::CutShort(by)
        } else {
            node.inspect(|node| record::add(&node.replied, 1));
            Outcome::Replied(by)
        }
    }

    #[cold]
    fn died(&self, shard: &Shard, record: &Record) -> Outcome {
        let death = record.death();
        let node = death.and_then(|death| self.chain.nodes.get(death.position));
        match death {
            Some(death) if death.panicked => {
                record::add(&shard.panicked, 1);
                Outcome::Panicked(node)
            }
            _ if std::thread::panicking() => {
                record::add(&shard.panicked, 1);
                Outcome::Panicked(None)
            }
            _ => {
                record::add(&shard.cancelled, 1);
                if let Some(node) = node.and_then(|node| shard.nodes.get(node.position)) {
                    record::add(&node.died, 1);
                }
                Outcome::Cancelled(node)
            }
        }
    }

    fn offers(&self, sink: &dyn Sink, record: &mut Record, outcome: Outcome, took: u64) {
        let handed = record.handed.get();
        let over = Over {
            chain: self.chain,
            took: Duration::from_nanos(self.clock.nanos(took)),
            outcome,
            was_paused: record.was_paused(),
            trace: handed.map(|handed| handed.context),
            status: handed.and_then(|handed| handed.status),
        };
        if sink.wants(&over) {
            sink.takes(Copied::of(record, outcome, took).kept(self.chain, &self.clock, self.ledger.as_deref()));
        }
    }

    #[inline(always)]
    fn is_of(&self, chain: &'static ChainInfo) -> bool {
        core::ptr::eq(self.chain, chain) || self.is_of_another_unit(chain)
    }

    /// Each unit of code that the compiler makes may have its own copy of the description.
    #[cold]
    fn is_of_another_unit(&self, chain: &'static ChainInfo) -> bool {
        let place = |chain: &ChainInfo| chain.nodes.first().map(|node| (node.file, node.line));
        self.chain.name == chain.name
            && self.chain.nodes.len() == chain.nodes.len()
            && self.chain.blocks.len() == chain.blocks.len()
            && place(self.chain) == place(chain)
    }
}

impl<C: Clock, A: Allocations> fmt::Debug for Meter<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("chain", &self.chain.name).finish_non_exhaustive()
    }
}
