//! A limit that judges by how many blocks wait in the system.

use core::time::Duration;

use super::probe::{Probe, Step, is_news};
use super::{Limit, Sample, loss, share};

/// A limit after TCP Vegas, like Netflix's `VegasLimit`: it estimates from the least round trip how many of the blocks
/// in flight wait.
///
/// ```text
/// waiting = limit * (1 - least round trip / round trip)
/// ```
///
/// | waiting | the limit |
/// | --- | --- |
/// | at most `threshold` | + `beta` |
/// | less than `alpha` | + `log10(limit)` |
/// | from `alpha` to `beta` | stays |
/// | more than `beta` | - `log10(limit)` |
///
/// A window in which less than half of the limit was used changes nothing. A window in which more than one in a hundred
/// was lost lowers the limit.
///
/// It suits blocks that take roughly the same time. If one in ten or in a hundred takes a hundred times as long as the
/// others, the means of windows scatter, the least mean is no measure, and the limit settles far too low: about half of
/// what a server could do was served in such simulations. [`Aimd`](super::Aimd) does not have this problem.
///
/// Unlike in the original, the least round trip is measured anew by a probe that lets fewer blocks run, and not taken
/// from any window (concurrency-limits#165: under load it grows with the load).
#[derive(Clone, Debug)]
pub struct Vegas {
    limit: f64,
    shown: usize,
    min: usize,
    max: usize,
    smoothing: f64,
    alpha: fn(usize) -> usize,
    beta: fn(usize) -> usize,
    threshold: fn(usize) -> usize,
    decrease: fn(f64) -> f64,
    least: Option<f64>,
    probe: Probe,
}

/// At least 1.
fn log10(limit: usize) -> usize {
    limit.checked_ilog10().unwrap_or(0).max(1) as usize
}

impl Vegas {
    /// It begins with 20 and stays from 1 to 1,000. `alpha` and `beta` are 3 and 6 times `log10(limit)`, and there is
    /// no smoothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limit: 20.0,
            shown: 20,
            min: 1,
            max: 1_000,
            smoothing: 1.0,
            alpha: |limit| 3 * log10(limit),
            beta: |limit| 6 * log10(limit),
            threshold: log10,
            decrease: |limit| limit - log10(limit as usize) as f64,
            least: None,
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

    /// Sets the lower bound. It is at least one.
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

    /// Sets how much of the difference one window makes, from 0 to 1.
    #[must_use]
    pub fn smoothing(mut self, part: f64) -> Self {
        self.smoothing = share(part, 0.0);
        self
    }

    /// Sets how many blocks may wait before the limit stops growing, for a given limit.
    #[must_use]
    pub fn alpha(mut self, alpha: fn(usize) -> usize) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how many blocks may wait before the limit falls, for a given limit.
    #[must_use]
    pub fn beta(mut self, beta: fn(usize) -> usize) -> Self {
        self.beta = beta;
        self
    }

    /// Sets the limit after a fall.
    #[must_use]
    pub fn decrease(mut self, decrease: fn(f64) -> f64) -> Self {
        self.decrease = decrease;
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

    /// The limit that the window suggests; `None` if it suggests none.
    fn wanted(&self, sample: &Sample) -> Option<f64> {
        if loss(sample) > 0.0 {
            return Some((self.decrease)(self.limit));
        }
        let (round_trip, least) = (sample.nanos()?, self.least?);
        if (sample.in_flight as f64) * 2.0 < self.limit {
            return None;
        }
        let waiting = (self.limit * (1.0 - least / round_trip)).ceil().max(0.0) as usize;
        let limit = self.limit as usize;
        let (alpha, beta) = ((self.alpha)(limit), (self.beta)(limit));
        if waiting <= (self.threshold)(limit) {
            Some(self.limit + beta as f64)
        } else if waiting < alpha {
            Some(self.limit + log10(limit) as f64)
        } else if waiting > beta {
            Some((self.decrease)(self.limit))
        } else {
            None
        }
    }

    fn adjust(&mut self, sample: &Sample) {
        if let Some(round_trip) = sample.nanos()
            && loss(sample) == 0.0
            && self.least.is_none_or(|least| round_trip < least)
        {
            self.least = Some(round_trip);
            return;
        }
        if let Some(wanted) = self.wanted(sample) {
            let wanted = wanted.min(self.max as f64).max(self.min as f64);
            self.limit = self.limit * (1.0 - self.smoothing) + wanted * self.smoothing;
        }
    }
}

impl Default for Vegas {
    fn default() -> Self {
        Self::new()
    }
}

impl Limit for Vegas {
    fn limit(&self) -> usize {
        self.shown.min(self.max).max(self.min)
    }

    fn update(&mut self, sample: &Sample) -> usize {
        self.shown = match self.probe.step(self.limit, self.min, sample) {
            Step::Hold(limit) => limit.min(self.limit as usize),
            Step::Measured => {
                if let Some(round_trip) = sample.nanos().filter(|_| loss(sample) == 0.0) {
                    if is_news(self.least, round_trip) {
                        self.probe.soon();
                    }
                    self.least = Some(round_trip);
                }
                self.limit as usize
            }
            Step::Adjust { .. } => {
                self.adjust(sample);
                self.limit as usize
            }
        };
        self.shown
    }

    fn baseline(&self) -> Option<Duration> {
        self.least.map(|nanos| Duration::from_nanos(nanos as u64))
    }
}
