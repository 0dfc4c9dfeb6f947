//! What is counted, on each thread by itself, and what the sums say.

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a pool did and has, from [`Pool::stats`](super::Pool::stats).
///
/// The counts are exact while no other thread uses the pool, and otherwise each of a slightly different moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Leases that were served with an idle value.
    pub hits: u64,
    /// Leases for which the factory had to make a value.
    pub misses: u64,
    /// Values that were dropped: there was no room for them, or their lease ended in a panic.
    pub discarded: u64,
    /// Values that left the pool for good through [`Lease::into_inner`](super::Lease::into_inner).
    pub detached: u64,
    /// Leases that are out.
    pub in_use: usize,
    /// Values that wait to be lent.
    pub idle: usize,
    /// How many idle values the pool would keep at the load it sees.
    pub capacity: usize,
}

/// Written by one thread, read by all. Padded as [`Local`](super::Local) is.
///
/// Nothing rests on them but statistics and the estimate of the load: they guard no memory, so that their order is
/// `Relaxed` throughout. That each has one writer at a time is what `ThreadLocal` promises; a thread that takes over the
/// place of one that ended does so after it, through that crate's own lock.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Counters {
    /// Leases that began, and how many of them found no value idle.
    pub(super) begun: AtomicU64,
    pub(super) misses: AtomicU64,
    /// Leases that ended, in whichever way.
    pub(super) ended: AtomicU64,
    pub(super) discarded: AtomicU64,
    pub(super) detached: AtomicU64,
    /// Timed leases that came back, and how long they were out.
    pub(super) timed: AtomicU64,
    pub(super) held_nanos: AtomicU64,
}

/// Adds to a counter that only this thread writes: a load and a store, where a read-modify-write would cost as much
/// as the rest of `get`.
#[inline]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

/// Counts when it is dropped: also when the thread unwinds.
pub(super) struct Ending<'a> {
    pub(super) counter: &'a AtomicU64,
}

impl Drop for Ending<'_> {
    #[inline]
    fn drop(&mut self) {
        add(self.counter, 1);
    }
}

/// The sums of all threads' counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) begun: u64,
    pub(super) misses: u64,
    pub(super) ended: u64,
    pub(super) discarded: u64,
    pub(super) detached: u64,
    pub(super) timed: u64,
    pub(super) held_nanos: u64,
}

impl Totals {
    /// Adds one thread's counters. Ends are read before beginnings, so that no lease seems to end before it began.
    pub(super) fn add(&mut self, counters: &Counters) {
        self.ended += counters.ended.load(Relaxed);
        self.discarded += counters.discarded.load(Relaxed);
        self.detached += counters.detached.load(Relaxed);
        self.timed += counters.timed.load(Relaxed);
        self.held_nanos += counters.held_nanos.load(Relaxed);
        self.misses += counters.misses.load(Relaxed);
        self.begun += counters.begun.load(Relaxed);
    }

    /// Leases that are out. A lease that ends on another thread can be seen to end before it is seen to begin.
    pub(super) fn in_use(&self) -> usize {
        usize::try_from(self.begun.saturating_sub(self.ended)).unwrap_or(usize::MAX)
    }

    pub(super) fn idle(&self) -> usize {
        let alive = self.misses.saturating_sub(self.discarded + self.detached);
        usize::try_from(alive).unwrap_or(usize::MAX).saturating_sub(self.in_use())
    }
}
