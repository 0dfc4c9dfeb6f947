//! A limit that judges by changes of the round trip.

use core::time::Duration;

use super::average::Average;
use super::probe::{Probe, Step, is_news};
use super::{Limit, Sample, loss, share};

/// A limit that follows the gradient between the usual round trip and that of the last window: Netflix's
/// `Gradient2Limit`, with corrections.
///
/// After each window, with `usual` as the long-term mean of round trips:
///
/// ```text
/// gradient = tolerance * usual / round trip, from 0.5 to 1
/// wanted   = limit * gradient (+ headroom, where the gradient is 1)
/// limit    = limit * (1 - smoothing) + wanted * smoothing, from min to max
/// ```
///
/// A window in which less than half of the limit was used changes nothing.
///
/// It judges by means, so a window needs enough blocks for one. If one block in a hundred takes as long as hundreds of
/// the others, give a window [more of them](crate::pressure::Adaptive::at_least) and more time. With the default
/// windows, half of what a small server could do was served in such a simulation.
///
/// # Differences from the original
///
/// - **The headroom is given only if nothing waits.** If it were always given, the limit would climb while the gradient
///   says 0.8 (concurrency-limits#134).
/// - **`usual` does not learn from a full system.** A system that is kept full has the round trip that the limit
///   causes. A mean that follows it lets the limit climb after its own queue, up to the maximum. Here such a window can
///   only lower the mean. Windows in which at most half of the limit was in use raise the mean, and so does a probe:
///   roughly every hundred windows, at a random time, the limit is halved for two windows. If a service has become
///   slower for good, its limit recovers with the next probe.
/// - **Lost blocks count as lost.** Blocks that time out after a constant time look like a steady round trip
///   (concurrency-limits#137). They are not round trips here: if more than one in a hundred is lost, their share lowers
///   the gradient, however full the window was.
#[derive(Clone, Debug)]
pub struct Gradient2 {
    limit: f64,
    shown: usize,
    min: usize,
    max: usize,
    smoothing: f64,
    tolerance: f64,
    headroom: fn(usize) -> usize,
    usual: Average,
    probe: Probe,
}

/// How many windows the usual round trip remembers, and for how many it is the plain mean at first.
const LONG: u32 = 600;
const WARM_UP: u32 = 10;

impl Gradient2 {
    /// It begins with 20, stays from 1 to 1,000, and has a tolerance of 1.5, a smoothing of 0.2, and the limit's square
    /// root as its headroom, at least 4.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limit: 20.0,
            shown: 20,
            min: 1,
            max: 1_000,
            smoothing: 0.2,
            tolerance: 1.5,
            headroom: |limit| limit.isqrt().max(4),
            usual: Average::new(LONG, WARM_UP),
            probe: Probe::every(100),
        }
    }

    /// Sets the number before anything is known. It is kept within the bounds.
    #[must_use]
    pub fn initial(mut self, limit: usize) -> Self {
        self.limit = limit as f64;
        self.shown = limit;
        self
    }

    /// Sets the lower bound. It is at least one, since a limit of zero could not learn.
    #[must_use]
    pub fn min(mut self, min: usize) -> Self {
        self.min = min.max(1);
        self
    }

    /// Sets the upper bound.
    #[must_use]
    pub fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Sets how many times the usual round trip are still no sign of a queue: 1 or more.
    #[must_use]
    pub fn tolerance(mut self, times: f64) -> Self {
        self.tolerance = times.max(1.0);
        self
    }

    /// Sets how much of the difference one window makes, from 0 to 1.
    #[must_use]
    pub fn smoothing(mut self, part: f64) -> Self {
        self.smoothing = share(part, 0.0);
        self
    }

    /// Sets by how much the limit grows while nothing waits, for a given limit.
    #[must_use]
    pub fn headroom(mut self, headroom: fn(usize) -> usize) -> Self {
        self.headroom = headroom;
        self
    }

    /// Sets the time between probes: from half of this number of windows to all of it.
    #[must_use]
    pub fn probe_every(mut self, windows: u32) -> Self {
        self.probe = Probe::every(windows);
        self
    }

    /// Sets the seed of the random times of its probes, for tests that repeat.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.probe.seed(seed);
        self
    }

    /// The factor that a round trip makes for the limit, from 0.5 to 1.
    fn gradient(&self, round_trip: f64) -> f64 {
        self.usual.get().map_or(1.0, |usual| (self.tolerance * usual / round_trip).clamp(0.5, 1.0))
    }

    fn learn(&mut self, round_trip: f64, calm: bool) {
        let Some(usual) = self.usual.get() else {
            self.usual.add(round_trip);
            return;
        };
        if calm || !self.usual.is_warm() || round_trip < usual {
            self.usual.add(round_trip);
        }
        // A long time under load is over: the mean need not take as long to fall.
        if usual / round_trip > 2.0 {
            self.usual.scale(0.95);
        }
    }

    fn adjust(&mut self, sample: &Sample, calm: bool) {
        let lost = loss(sample);
        let mut gradient = 1.0;
        if let Some(round_trip) = sample.nanos() {
            if lost == 0.0 {
                self.learn(round_trip, calm);
            }
            gradient = self.gradient(round_trip);
        }
        if lost == 0.0 && (sample.in_flight as f64) < self.limit / 2.0 {
            return;
        }
        let is_clear = gradient >= 1.0 && lost == 0.0;
        let headroom = if is_clear { (self.headroom)(self.limit as usize) as f64 } else { 0.0 };
        let wanted = self.limit * (gradient * (1.0 - lost)).max(0.5) + headroom;
        let limit = self.limit * (1.0 - self.smoothing) + wanted * self.smoothing;
        self.limit = limit.min(self.max as f64).max(self.min as f64);
    }
}

impl Default for Gradient2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Limit for Gradient2 {
    fn limit(&self) -> usize {
        self.shown.min(self.max).max(self.min)
    }

    fn update(&mut self, sample: &Sample) -> usize {
        self.shown = match self.probe.step(self.limit, self.min, sample) {
            Step::Hold(limit) => limit.min(self.limit as usize),
            Step::Measured => {
                // If most blocks are lost, the few replies say nothing about a system in which nothing waits.
                if let Some(round_trip) = sample.nanos().filter(|_| loss(sample) == 0.0) {
                    if is_news(self.usual.get(), round_trip) {
                        self.probe.soon();
                    }
                    self.usual.set(round_trip);
                }
                self.limit as usize
            }
            Step::Adjust { calm } => {
                self.adjust(sample, calm);
                self.limit as usize
            }
        };
        self.shown
    }

    fn baseline(&self) -> Option<Duration> {
        self.usual.get().map(|nanos| Duration::from_nanos(nanos as u64))
    }
}
