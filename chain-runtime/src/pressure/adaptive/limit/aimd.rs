//! By what is lost.

use core::time::Duration;

use super::{Limit, Sample, loss, share};

/// A limit that goes up by one and down by a part: additive increase, multiplicative decrease, as Netflix's `AIMDLimit` has it.
///
/// A window goes down where more than one in a hundred was lost, or where the mean round trip is over [`timeout`](Self::timeout). Otherwise it
/// goes up where half of the limit was in use.
#[derive(Clone, Debug)]
pub struct Aimd {
    limit: usize,
    min: usize,
    max: usize,
    backoff: f64,
    timeout: Duration,
}

impl Aimd {
    /// Begins with 20, from 1 to 1,000; goes down to nine tenths; a round trip over 5 s counts as lost.
    #[must_use]
    pub const fn new() -> Self {
        Self { limit: 20, min: 1, max: 1_000, backoff: 0.9, timeout: Duration::from_secs(5) }
    }

    /// How many at once before anything is known; within the bounds.
    #[must_use]
    pub const fn initial(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Never fewer than this. One at least.
    #[must_use]
    pub fn min(mut self, min: usize) -> Self {
        self.min = min.max(1);
        self
    }

    /// Never more than this.
    #[must_use]
    pub const fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Which part of the limit is left after a window in which too much was lost, from 0.5 to 1.
    #[must_use]
    pub fn backoff(mut self, part: f64) -> Self {
        self.backoff = share(part, 0.5);
        self
    }

    /// From which mean round trip on a window is as good as lost.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Default for Aimd {
    fn default() -> Self {
        Self::new()
    }
}

impl Limit for Aimd {
    fn limit(&self) -> usize {
        self.limit.min(self.max).max(self.min)
    }

    fn update(&mut self, sample: &Sample) -> usize {
        let is_late = sample.round_trip.is_some_and(|time| time > self.timeout);
        if loss(sample) > 0.0 || is_late {
            let part = (self.limit as f64 * self.backoff) as usize;
            self.limit = part.min(self.limit.saturating_sub(1));
        } else if sample.in_flight.saturating_mul(2) >= self.limit {
            self.limit = self.limit.saturating_add(1);
        }
        self.limit = self.limit();
        self.limit
    }
}
