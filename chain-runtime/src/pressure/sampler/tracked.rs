//! One source, with the state that follows from its readings.

use std::boxed::Box;
#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::pressure::held::Held;
use crate::pressure::slope::Slope;
use crate::pressure::source::{Fault, Reading, Source};
use crate::pressure::{Cause, Level, Projection, Seen, Thresholds};

/// A source that is sampled.
pub(in crate::pressure) struct Tracked {
    source: Box<dyn Source>,
    dwell: Duration,
    projection: Option<Projection>,
    held: Held,
    slope: Slope,
    /// Since when all samples have failed.
    fails: Option<Instant>,
    /// Its level at the previous sample.
    pub(super) before: Level,
    pub(in crate::pressure) seen: Seen,
}

impl Tracked {
    pub(in crate::pressure) fn new(
        source: Box<dyn Source>,
        name: &'static str,
        thresholds: Thresholds,
        dwell: Duration,
        projection: Option<Projection>,
    ) -> Self {
        let seen = Seen {
            name,
            unit: source.unit(),
            thresholds,
            level: Level::Calm,
            reading: None,
            read: None,
            growth: 0.0,
            is_projected: false,
            fault: None,
            faults: 0,
            given_up: false,
            is_woken: false,
        };
        let (held, slope) = (Held::new(), Slope::default());
        Self { source, dwell, projection, held, slope, fails: None, before: Level::Calm, seen }
    }

    /// Reads the source. If that fails, the level stays for as long as `hold`.
    pub(super) fn read(&mut self, now: Instant, hold: Duration) {
        self.before = self.seen.level;
        // The source is code of others. If it panics halfway, its next reading is its own affair.
        let read = catch_unwind(AssertUnwindSafe(|| self.source.read(now))).unwrap_or(Err(Fault::Panicked));
        match read.and_then(|reading| reading.value.is_finite().then_some(reading).ok_or(Fault::NotANumber)) {
            Ok(reading) => self.took(now, reading),
            Err(fault) => self.failed(now, fault, hold),
        }
    }

    fn took(&mut self, now: Instant, reading: Reading) {
        let thresholds = &self.seen.thresholds;
        let (mut entered, mut kept) = (thresholds.entered(reading.value), thresholds.kept(reading.value));
        self.seen.is_projected = false;
        if let Some(projection) = &self.projection {
            let limit = |of: &Reading| of.bytes.and_then(|bytes| bytes.limit);
            let same_scale = self.seen.reading.is_none_or(|before| limit(&before) == limit(&reading));
            self.slope.see(now, reading.value, projection.smoothing, same_scale);
            self.seen.growth = self.slope.in_a_second();
            if self.slope.is_full_soon(projection) {
                self.seen.is_projected = kept < projection.level;
                entered = entered.max(projection.level);
                kept = kept.max(projection.level);
            }
        }
        self.seen.level = self.held.see(now, entered, kept, self.dwell);
        (self.seen.reading, self.seen.read) = (Some(reading), Some(now));
        (self.seen.fault, self.seen.given_up, self.fails) = (None, false, None);
    }

    fn failed(&mut self, now: Instant, fault: Fault, hold: Duration) {
        self.seen.fault = Some(fault);
        self.seen.faults += 1;
        let since = *self.fails.get_or_insert(now);
        if now.saturating_duration_since(since) >= hold {
            // A source that is given up keeps no level up.
            (self.held, self.slope) = (Held::new(), Slope::default());
            (self.seen.level, self.seen.growth, self.seen.is_projected) = (Level::Calm, 0.0, false);
            self.seen.given_up = true;
        } else {
            // It is not known whether the reading was low meanwhile.
            self.held.keep(now);
        }
    }

    pub(super) fn cause(&self) -> Cause {
        let Seen { name, unit, thresholds, .. } = self.seen;
        Cause {
            name,
            unit,
            value: self.seen.reading.map(|reading| reading.value),
            thresholds,
            growth: self.seen.is_projected.then_some(self.seen.growth),
            given_up: self.seen.given_up,
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn trigger(&self) -> Option<io::Result<OwnedFd>> {
        self.source.trigger()
    }
}
