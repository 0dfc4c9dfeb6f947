//! [`Pool`] and [`Lease`]: contexts that outlive their requests, so that a request allocates none.
//!
//! ```text
//!          get                                       put (a lease is dropped)
//!           │ renew                                   │ reset, trim
//!           ▼                                         ▼
//!   ┌─ this thread's magazine, at most 32 ──────────────────┐   1. no atomic read-modify-write
//!   └─┬───────────────────────────────────────────────▲──┬──┘
//!     │ empty: take half a magazine                   │  │ full: give half a magazine
//!   ┌─▼───────────────────────────────────────────────┴──▼──┐   2. lock-free, bounded
//!   └─┬─── the depot, shared by all threads ─────────────┬──┘
//!     │ empty: a miss                                    │ full: a discard
//!     ▼                                                  ▼
//!   the factory makes a value                      the value is dropped   3. the allocator
//! ```
//!
//! The magazine and depot are Bonwick's ("Magazines and Vmem", USENIX 2001). They stand on two crates that contain the
//! unsafe code: `thread_local` (whose values stay when a thread ends, and pass to the next thread) and the `ArrayQueue`
//! of `crossbeam-queue`. `benches/pool.rs` compares it with the alternatives.

mod builder;
mod counters;
mod demand;
#[cfg(all(test, chain_loom))]
mod interleavings;
mod lease;
mod magazine;

use std::boxed::Box;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use crossbeam_queue::ArrayQueue;
use thread_local::ThreadLocal;

use crate::Reset;
pub use builder::Builder;
pub use counters::Stats;
use counters::{Counters, Ending, Totals, add};
use demand::Demand;
pub use lease::Lease;
use magazine::{MAGAZINE, Magazine};

/// One lease in this many is timed, counted on each thread from its first lease. Reading the clock costs more than the
/// rest of `get`.
const SAMPLED: u64 = 64;

/// A bounded set of reusable values that grows and shrinks with the load.
///
/// [`get`](Pool::get) lends a value, which is [renewed](Reset::renew) for it. Dropping the [`Lease`]
/// [resets](Reset::reset) the value and puts it back. The value may then stay in the pool for long, so a time belongs
/// into `renew`. Once the pool is warm, neither call allocates, and neither ever waits: if no value is idle, the
/// factory makes one.
///
/// ```
/// use chain_runtime::Pool;
///
/// let pool = Pool::new(|| String::with_capacity(1024));
/// let mut line = pool.get();
/// line.push_str("GET /");
/// drop(line);
///
/// let line = pool.get();
/// assert!(line.is_empty());
/// assert_eq!(line.capacity(), 1024);
/// assert_eq!(pool.stats().hits, 1);
/// ```
///
/// # Capacity
///
/// The capacity is how many **idle** values the pool keeps. It follows the load, within the limits of
/// [`Builder::capacity`], as follows.
///
/// * Little's law says how many leases are out on average: `L = λ·W`, arrivals per second times seconds held. `λ` is
///   counted: every `get` of every thread since the last estimate. `W` is sampled: the first `get` of each thread, and
///   every 64th after it, reads the clock twice. The mean of these times since the last estimate is `W`. If no timed
///   lease came back since then, the old `W` stays.
/// * A lease that has not come back is not in `W` yet, so `L` is at least the number of leases that are out right now.
///   This matters when a lease is held for as long as a connection.
/// * An estimate is made at most every 100 ms, and only by a thread that uses the pool: there is no background task.
///   [`maintain`](Pool::maintain) makes one for a pool that fell idle, where no `get` would.
/// * A rise is followed at once. A fall is followed by an eighth of the difference in each 100 ms, so that a short lull
///   does not throw away what the next moment needs.
/// * With independent arrivals, the number of leases out is Poisson distributed around `L` (Palm's theorem). So the
///   capacity is `L + 4·√L`: less than one time in ten thousand, more leases are out at once.
///
/// Rare bursts that are over within 100 ms are averaged away: the lower limit serves them.
///
/// Half of the capacity is divided among the threads' magazines (at least one value and at most 32 each). The rest
/// belongs to the depot. When the limit of a magazine falls, its thread brings it within the new limit the next time
/// that it puts a value back. Until then, and if there are more threads than capacity, the pool keeps more than its
/// capacity, by at most 32 values for each thread.
///
/// # In a panic
///
/// A lease that is dropped while its thread panics discards its value, because the value's state is unknown. A lease
/// whose `reset` panics discards its value as well. If `renew` panics, there is no lease.
pub struct Pool<T: Send> {
    magazines: ThreadLocal<Magazine<T>>,
    /// The magazines' counters, since the magazines themselves cannot be read from another thread.
    counters: ThreadLocal<Arc<Counters>>,
    depot: ArrayQueue<Box<Slot<T>>>,
    /// How many values a magazine and the depot may hold: the divided capacity.
    magazine_limit: AtomicUsize,
    depot_limit: AtomicUsize,
    demand: Demand,
    high_water: usize,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    factory: Box<dyn Fn() -> T + Send + Sync>,
}

/// A value and the facts about its lease, in one allocation, so that a lease is small.
struct Slot<T: Send> {
    value: T,
    /// The pool, while an owned lease lends the value.
    keeps: Option<Arc<Pool<T>>>,
    /// When the lease began; set only for the few leases that are timed.
    since: Option<Instant>,
}

impl<T: Reset + Send> Pool<T> {
    /// A pool with the limits of [`Pool::builder`], whose values are made by `factory`.
    pub fn new(factory: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self::builder().build(factory)
    }

    /// Limits to choose: by default, capacity 32 to 4,096, and high-water mark 64 KiB.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Lends a value for as long as the pool is borrowed.
    ///
    /// From a `&'static` pool (for example a `static` [`LazyLock`](std::sync::LazyLock)) the lease is `'static` and can
    /// move into a spawned task, at no extra cost. For a pool in an `Arc`, see [`get_owned`](Pool::get_owned).
    ///
    /// It never waits, except at a thread's first use of a pool, when `thread_local` takes a short lock. It allocates
    /// only if no value is idle within reach, and for `thread_local` at a thread's first use of the pool. It panics if
    /// the factory or [`Reset::renew`] does.
    #[inline]
    pub fn get(&self) -> Lease<'_, T> {
        Lease::borrowed(self, self.take())
    }

    /// Lends a value to a lease that keeps the pool alive, so that it can move into a spawned task.
    ///
    /// It costs what [`get`](Pool::get) costs, and two changes of the `Arc`'s count, for which threads contend.
    #[inline]
    pub fn get_owned(self: &Arc<Self>) -> Lease<'static, T> {
        Lease::owned(Arc::clone(self), self.take())
    }

    /// Estimates the load if 100 ms have passed since the last estimate, and drops the depot's values past the
    /// capacity.
    ///
    /// A pool in use does this by itself, at most 32 values at a time. A timer may call this to let a pool shrink that
    /// is no longer used.
    pub fn maintain(&self) {
        self.follow_the_load((self.clock)());
        self.shrink(usize::MAX);
    }

    /// What the pool did, and what it has. It takes a few loads for each thread that ever used the pool.
    pub fn stats(&self) -> Stats {
        let totals = self.totals();
        Stats {
            hits: totals.begun.saturating_sub(totals.misses),
            misses: totals.misses,
            discarded: totals.discarded,
            detached: totals.detached,
            in_use: totals.in_use(),
            idle: totals.idle(),
            capacity: self.demand.capacity(),
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::new(self.depot.len());
        for counters in self.counters.iter() {
            totals.add(counters);
        }
        totals
    }

    #[inline]
    fn magazine(&self) -> &Magazine<T> {
        match self.magazines.get() {
            Some(magazine) => magazine,
            None => self.join(),
        }
    }

    /// A thread's first use of the pool. It stands apart, since `get_or` with all of this in it is not inlined.
    #[cold]
    fn join(&self) -> &Magazine<T> {
        self.magazines.get_or(|| Magazine::new(Arc::clone(self.counters.get_or(Arc::default))))
    }

    /// Begins a lease.
    #[inline]
    fn take(&self) -> Box<Slot<T>> {
        let magazine = self.magazine();
        let (mut slot, turn) = match magazine.lend() {
            Some(lent) => lent,
            None => self.refill(magazine),
        };
        if turn % SAMPLED == 0 {
            slot.since = Some(self.tick());
        }
        // Until the value is renewed it counts as discarded: if `renew` panics, it is.
        let ending = Ending(magazine);
        slot.value.renew();
        mem::forget(ending);
        slot
    }

    /// Begins a lease with a value from the depot and takes half a magazine along, or makes a value.
    #[cold]
    fn refill(&self, magazine: &Magazine<T>) -> (Box<Slot<T>>, u64) {
        let counters = &*magazine.counters;
        let slot = match self.depot.pop() {
            Some(slot) => {
                let half = self.magazine_limit.load(Relaxed) / 2;
                while magazine.len() + 1 < half {
                    let Some(more) = self.depot.pop() else { break };
                    if let Err(surplus) = magazine.push(more, MAGAZINE) {
                        self.discard(magazine, surplus);
                    }
                }
                slot
            }
            None => {
                let slot = Box::new(Slot { value: (self.factory)(), keeps: None, since: None });
                add(&counters.misses, 1);
                // Values are missing, so it is worth the time to look whether the load has changed.
                self.tick();
                slot
            }
        };
        let tally = counters.tally();
        counters.set_tally(tally.with_lease());
        (slot, tally.begun())
    }

    /// Ends a lease whose value comes back.
    #[inline]
    fn put(&self, mut slot: Box<Slot<T>>) {
        let magazine = self.magazine();
        // Until the value is known to be good it counts as discarded: if `reset` or `trim` panics, it is.
        let ending = Ending(magazine);
        if slot.since.is_some() {
            self.time(&magazine.counters, &mut slot);
        }
        slot.value.reset();
        slot.value.trim(self.high_water);
        mem::forget(ending);

        if let Err(slot) = magazine.push(slot, self.magazine_limit.load(Relaxed)) {
            self.spill(magazine, slot);
        }
    }

    /// Gives the values past half a magazine to the depot, and drops those for which neither has room.
    #[cold]
    fn spill(&self, magazine: &Magazine<T>, slot: Box<Slot<T>>) {
        let limit = self.magazine_limit.load(Relaxed);
        let mut room = self.depot_limit.load(Relaxed).saturating_sub(self.depot.len());
        while room > 0 && magazine.len() > limit / 2 {
            let Some(given) = magazine.pop() else { break };
            if let Err(refused) = self.depot.push(given) {
                self.discard(magazine, refused);
                break;
            }
            room -= 1;
        }
        if let Err(surplus) = magazine.push(slot, limit) {
            self.discard(magazine, surplus);
        }
        // The limit may have fallen: values that the magazine held before have to go, too.
        while magazine.len() > limit {
            let Some(surplus) = magazine.pop() else { return };
            self.discard(magazine, surplus);
        }
    }

    /// Drops a value that had come back.
    fn discard(&self, magazine: &Magazine<T>, slot: Box<Slot<T>>) {
        add(&magazine.counters.discarded, 1);
        drop(slot);
    }

    /// Ends a lease whose value is in an unknown state.
    #[cold]
    fn give_up(&self, slot: Box<Slot<T>>) {
        self.discard(self.magazine(), slot);
    }

    /// Ends a lease whose value belongs to the user from now on.
    fn detach(&self, mut slot: Box<Slot<T>>) -> T {
        let counters = &*self.magazine().counters;
        add(&counters.detached, 1);
        self.time(counters, &mut slot);
        slot.value
    }

    /// Adds a timed lease to `W`.
    #[cold]
    fn time(&self, counters: &Counters, slot: &mut Slot<T>) {
        let Some(since) = slot.since.take() else {
            return;
        };
        let held = self.tick().saturating_duration_since(since);
        add(&counters.timed, 1);
        add(&counters.held_nanos, u64::try_from(held.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Reads the clock, and estimates the load if it is time.
    #[cold]
    fn tick(&self) -> Instant {
        let now = (self.clock)();
        self.follow_the_load(now);
        now
    }

    fn follow_the_load(&self, now: Instant) {
        if let Some(capacity) = self.demand.estimate(now, || self.totals()) {
            let threads = self.counters.iter().count();
            self.divide(capacity, threads);
            self.shrink(MAGAZINE);
        }
    }

    /// Drops the depot's values past its limit, but no more than `most`: the request that happens to do it should not
    /// wait for all of them.
    fn shrink(&self, most: usize) {
        let surplus = self.depot.len().saturating_sub(self.depot_limit.load(Relaxed));
        for _ in 0..surplus.min(most) {
            let Some(slot) = self.depot.pop() else { return };
            self.discard(self.magazine(), slot);
        }
    }

    /// Gives half of the capacity to the magazines, and the rest to the depot.
    fn divide(&self, capacity: usize, threads: usize) {
        let threads = threads.max(1);
        let magazine = (capacity / 2 / threads).clamp(1, MAGAZINE);
        self.magazine_limit.store(magazine, Relaxed);
        self.depot_limit.store(capacity.saturating_sub(magazine * threads), Relaxed);
    }
}

impl<T: Reset + Send + Default + 'static> Default for Pool<T> {
    /// A pool with the default limits, of default values.
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: Reset + Send> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
