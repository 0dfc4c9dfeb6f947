//! A limit that judges by losses.

use core::time::Duration;

use super::{Limit, Sample, loss, share};

/// A limit that grows by one and falls by a part: additive increase, multiplicative decrease, like Netflix's
/// `AIMDLimit`.
///
/// It falls after a window in which more than one in a hundred was lost, or in which the mean round trip was over
/// [`timeout`](Self::timeout). Otherwise it grows if half of the limit was in use.
#[derive(Clone, Debug)]
pub struct Aimd {
    limit: usize,
    min: usize,
    max: usize,
    backoff: f64,
    timeout: Duration,
}

impl Aimd {
    /// It begins with 20, stays from 1 to 1,000, and falls to nine tenths. A round trip over 5 s counts as lost.
    #[must_use]
    pub const fn new() -> Self {
        Self { limit: 20, min: 1, max: 1_000, backoff: 0.9, timeout: Duration::from_secs(5) }
    }

    /// Sets the number before anything is known. It is kept within the bounds.
    #[must_use]
    pub const fn initial(mut self, limit: usize) -> Self {
        self.limit = limit;
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
    pub const fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Sets the part of the limit that is left after a window with too many losses, from 0.5 to 1.
    #[must_use]
    pub fn backoff(mut self, part: f64) -> Self {
        self.backoff = share(part, 0.5);
        self
    }

    /// Sets the mean round trip at which a window counts as lost.
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
