//! Clocks that are cheap enough to be read at every boundary of a run.
//!
//! A reading is in **ticks**, whose length depends on the clock. Ticks of one clock can be compared and subtracted, on
//! all threads. [`nanos`](Clock::nanos) converts a difference of them. So the conversion is paid when a figure is
//! stored, not when the clock is read.
//!
//! | a reading of | ns |
//! | --- | --- |
//! | [`Tsc`] | 9.5 |
//! | `std::time::Instant` | 23 |
//! | [`NoClock`] | 0 |
//!
//! The figures are from a virtual machine (x86-64). Turning a difference into nanoseconds costs nothing measurable. The
//! bench `boundary` measures it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A clock that is read at each boundary of a run.
pub trait Clock: Clone + Send + Sync + 'static {
    /// Whether it never moves, so that a meter need not read it, nor store its readings.
    const STANDS_STILL: bool = false;

    /// The time, in ticks. On one thread it never goes back. Between threads it goes back by no more than the
    /// difference of the machine's counters.
    fn now(&self) -> u64;

    /// How many nanoseconds `ticks` are: a difference of two readings.
    fn nanos(&self, ticks: u64) -> u64;

    /// How many ticks `duration` is, rounded up; `u64::MAX` if the clock stands still. A threshold is converted once,
    /// so that a measured time can be compared with it without being converted.
    fn ticks(&self, duration: Duration) -> u64;
}

/// The processor's own counter of time, if it has one that is constant and the same on all cores; otherwise the
/// system's monotonic clock. It stands on the crate `quanta`.
#[derive(Clone, Debug)]
pub struct Tsc {
    clock: quanta::Clock,
    /// Ticks in 2^32 nanoseconds.
    rate: u64,
}

/// A difference of ticks that is long enough for exact nanoseconds, and far below every overflow.
const LONG: u64 = 1 << 40;

impl Tsc {
    /// The first call in a process measures the counter against the system's clock, which takes up to 200 ms: make it
    /// when the program starts.
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let nanos = clock.delta_as_nanos(0, LONG).max(1);
        let rate = (u128::from(LONG) << 32) / u128::from(nanos);
        Self { clock, rate: u64::try_from(rate).unwrap_or(u64::MAX) }
    }
}

/// The same as [`Tsc::new`].
impl Default for Tsc {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Tsc {
    #[inline(always)]
    fn now(&self) -> u64 {
        self.clock.raw()
    }

    #[inline]
    fn nanos(&self, ticks: u64) -> u64 {
        self.clock.delta_as_nanos(0, ticks)
    }

    fn ticks(&self, duration: Duration) -> u64 {
        let ticks = (duration.as_nanos().min(u128::from(u64::MAX)) * u128::from(self.rate)).div_ceil(1 << 32);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

/// No clock: a meter counts, and measures no times. It compiles to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    const STANDS_STILL: bool = true;

    #[inline(always)]
    fn now(&self) -> u64 {
        0
    }

    #[inline(always)]
    fn nanos(&self, _: u64) -> u64 {
        0
    }

    fn ticks(&self, _: Duration) -> u64 {
        u64::MAX
    }
}

/// A clock for tests, which shows the time that was set. A tick is a nanosecond; clones show the same time.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::telemetry::{Clock, Manual};
///
/// let clock = Manual::new();
/// let began = clock.now();
/// clock.advance(Duration::from_micros(3));
/// assert_eq!(clock.nanos(clock.now() - began), 3_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Manual(Arc<AtomicU64>);

impl Manual {
    /// It begins at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Clock for Manual {
    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn nanos(&self, ticks: u64) -> u64 {
        ticks
    }

    fn ticks(&self, duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    }
}
