//! [`Builder`]: the limits of a pool.

use std::boxed::Box;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;
use thread_local::ThreadLocal;

use super::Pool;
use super::demand::Demand;
use crate::Reset;

/// The limits of a [`Pool`], from [`Pool::builder`].
pub struct Builder {
    capacity: RangeInclusive<usize>,
    high_water: usize,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl Default for Builder {
    /// The limits of [`Pool::builder`].
    fn default() -> Self {
        Builder { capacity: 32..=4096, high_water: 64 * 1024, clock: Box::new(Instant::now) }
    }
}

impl Builder {
    /// The range in which the number of idle values, the [capacity](Pool#capacity), moves. At least one value is kept.
    ///
    /// The upper limit also sizes the depot, which is allocated at once: 16 bytes for each value.
    pub fn capacity(self, limits: RangeInclusive<usize>) -> Self {
        Builder { capacity: limits, ..self }
    }

    /// The size in bytes above which a buffer is [trimmed](Reset::trim) when its value comes back.
    pub fn high_water(self, bytes: usize) -> Self {
        Builder { high_water: bytes, ..self }
    }

    /// The clock of the pool, for tests. It must not go backwards, and must not use the pool.
    pub fn clock(self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Builder { clock: Box::new(clock), ..self }
    }

    /// Makes the pool, empty. Its capacity is the lower limit until the load is known.
    pub fn build<T: Reset + Send>(self, factory: impl Fn() -> T + Send + Sync + 'static) -> Pool<T> {
        let least = (*self.capacity.start()).max(1);
        let most = (*self.capacity.end()).max(least);
        let pool = Pool {
            magazines: ThreadLocal::new(),
            counters: ThreadLocal::new(),
            depot: ArrayQueue::new(most),
            magazine_limit: AtomicUsize::new(0),
            depot_limit: AtomicUsize::new(0),
            demand: Demand::new(least..=most, (self.clock)()),
            high_water: self.high_water,
            clock: self.clock,
            factory: Box::new(factory),
        };
        pool.divide(least, 1);
        pool
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("capacity", &self.capacity)
            .field("high_water", &self.high_water)
            .finish_non_exhaustive()
    }
}
