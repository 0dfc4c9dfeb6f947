//! What each thread counts by itself, and what the sums say.

use super::magazine::Magazine;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a pool did and what it has, from [`Pool::stats`](super::Pool::stats).
///
/// The counts are exact while no other thread uses the pool. Otherwise each may be of a slightly different moment.
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
    /// How many idle values the pool would keep at the present load.
    pub capacity: usize,
}

/// One thread writes them, all threads read them. They are padded, as a [`Magazine`] is.
///
/// Only statistics and the estimate of the load depend on them. They guard no memory, so their order is `Relaxed`
/// throughout. `ThreadLocal` promises that each has one writer at a time: a thread takes over the place of one that
/// ended only after that end, through the crate's own lock.
///
/// Only the tally changes with each lease. The end of a lease is not counted: afterwards its value is idle again, or
/// counts as discarded or detached.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Counters {
    tally: AtomicU64,
    /// Leases that found no idle value. As many values were made.
    pub(super) misses: AtomicU64,
    pub(super) discarded: AtomicU64,
    pub(super) detached: AtomicU64,
    /// Timed leases that came back, and how long they were out.
    pub(super) timed: AtomicU64,
    pub(super) held_nanos: AtomicU64,
}

/// How many leases began on a thread, and how many values its magazine holds, in one word. When a lease begins with a
/// value of the magazine, one addition changes both, and a reader sees both or neither.
#[derive(Clone, Copy)]
pub(super) struct Tally(u64);

impl Tally {
    /// The lowest byte is the number of values. The other bytes are the number of leases: 2^56 of them take decades.
    const BEGUN: u32 = u8::BITS;

    #[inline]
    pub(super) fn idle(self) -> usize {
        usize::from(self.0 as u8)
    }

    #[inline]
    pub(super) fn begun(self) -> u64 {
        self.0 >> Self::BEGUN
    }

    /// A lease began, with a value of the magazine.
    #[inline]
    pub(super) fn lent(self) -> Self {
        self.with_lease().without_one()
    }

    /// A lease began, with a value from elsewhere.
    #[inline]
    pub(super) fn with_lease(self) -> Self {
        Tally(self.0.wrapping_add(1 << Self::BEGUN))
    }

    #[inline]
    pub(super) fn with_one(self) -> Self {
        Tally(self.0.wrapping_add(1))
    }

    #[inline]
    pub(super) fn without_one(self) -> Self {
        Tally(self.0.wrapping_sub(1))
    }
}

impl Counters {
    #[inline]
    pub(super) fn tally(&self) -> Tally {
        Tally(self.tally.load(Relaxed))
    }

    /// Called only by the thread that owns these counters.
    #[inline]
    pub(super) fn set_tally(&self, tally: Tally) {
        self.tally.store(tally.0, Relaxed);
    }
}

/// Adds to a counter that only this thread writes. It uses a load and a store, since a read-modify-write would cost as
/// much as the rest of `get`.
#[inline]
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

/// Counts a value as discarded when the thread unwinds.
pub(super) struct Ending<'a, T: Send>(pub(super) &'a Magazine<T>);

impl<T: Send> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        add(&self.0.counters.discarded, 1);
    }
}

/// The sums of all threads' counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Idle values in the depot and the magazines.
    pub(super) idle: u64,
    pub(super) begun: u64,
    pub(super) misses: u64,
    pub(super) discarded: u64,
    pub(super) detached: u64,
    pub(super) timed: u64,
    pub(super) held_nanos: u64,
}

impl Totals {
    /// Begins with the values in the depot; the threads' counters are to be [added](Totals::add).
    pub(super) fn new(depot: usize) -> Self {
        Totals { idle: depot as u64, ..Totals::default() }
    }

    /// Adds one thread's counters.
    pub(super) fn add(&mut self, counters: &Counters) {
        self.discarded += counters.discarded.load(Relaxed);
        self.detached += counters.detached.load(Relaxed);
        self.timed += counters.timed.load(Relaxed);
        self.held_nanos += counters.held_nanos.load(Relaxed);
        let tally = counters.tally();
        self.idle += tally.idle() as u64;
        self.begun += tally.begun();
        self.misses += counters.misses.load(Relaxed);
    }

    /// Leases that are out: the values that were made, and are neither gone nor idle. A value that moves between the
    /// depot and a magazine during the reading may be counted in both or in neither.
    pub(super) fn in_use(&self) -> usize {
        let out = self.misses.saturating_sub(self.discarded + self.detached).saturating_sub(self.idle);
        usize::try_from(out).unwrap_or(usize::MAX)
    }

    pub(super) fn idle(&self) -> usize {
        usize::try_from(self.idle).unwrap_or(usize::MAX)
    }
}
