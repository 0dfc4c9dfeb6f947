//! How many values the load needs: Little's law, `L = λ·W`.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::counters::Totals;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The load is estimated at most this often.
const WINDOW: Duration = Duration::from_millis(100);

/// The part of a fall that is left after one window.
const FALL: f64 = 7.0 / 8.0;

pub(super) struct Demand {
    limits: RangeInclusive<usize>,
    capacity: AtomicUsize,
    /// When the next estimate is due, in nanoseconds since `began`.
    due: AtomicU64,
    began: Instant,
    /// Threads only try this lock, and never wait for it: one thread estimates, the others go on.
    last: Mutex<Estimate>,
}

struct Estimate {
    at: Instant,
    totals: Totals,
    /// `W`, in seconds.
    held: f64,
    /// `L`, smoothed.
    load: f64,
}

impl Demand {
    pub(super) fn new(limits: RangeInclusive<usize>, now: Instant) -> Self {
        Demand {
            capacity: AtomicUsize::new(*limits.start()),
            limits,
            due: AtomicU64::new(nanos(WINDOW)),
            began: now,
            last: Mutex::new(Estimate { at: now, totals: Totals::default(), held: 0.0, load: 0.0 }),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity.load(Relaxed)
    }

    /// The new capacity, if an estimate is due and no other thread is making one.
    pub(super) fn estimate(&self, now: Instant, totals: impl FnOnce() -> Totals) -> Option<usize> {
        let age = now.saturating_duration_since(self.began);
        if nanos(age) < self.due.load(Relaxed) {
            return None;
        }
        let mut last = self.last.try_lock().ok()?;
        let span = now.saturating_duration_since(last.at);
        if span < WINDOW {
            return None;
        }
        self.due.store(nanos(age + WINDOW), Relaxed);
        let load = last.follow(now, span, totals());
        let capacity = (load + 4.0 * load.sqrt()).ceil() as usize;
        let capacity = capacity.clamp(*self.limits.start(), *self.limits.end());
        self.capacity.store(capacity, Relaxed);
        Some(capacity)
    }
}

impl Estimate {
    /// `L`, at `span` after the last estimate.
    fn follow(&mut self, now: Instant, span: Duration, totals: Totals) -> f64 {
        let begun = totals.begun.saturating_sub(self.totals.begun);
        let timed = totals.timed.saturating_sub(self.totals.timed);
        if timed > 0 {
            let held = totals.held_nanos.saturating_sub(self.totals.held_nanos);
            self.held = Duration::from_nanos(held).as_secs_f64() / timed as f64;
        }
        let rate = begun as f64 / span.as_secs_f64();
        let seen = (rate * self.held).max(totals.in_use() as f64);
        let left = FALL.powf(span.as_secs_f64() / WINDOW.as_secs_f64());
        self.load = seen + (self.load - seen).max(0.0) * left;
        self.at = now;
        self.totals = totals;
        self.load
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
