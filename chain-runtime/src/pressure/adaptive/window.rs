//! The results of the blocks in one window, and the end of a window.

use std::time::{Duration, Instant};

use super::limit::{Limit, Sample};

/// Adds up the blocks that end, and updates the limit window by window.
#[derive(Debug)]
pub(super) struct Window<L> {
    pub(super) limit: L,
    pub(super) lasts: Duration,
    pub(super) at_least: u64,
    /// When this window began. `None` before the first block.
    began: Option<Instant>,
    replied: u64,
    lost: u64,
    sum: Duration,
    in_flight: usize,
    /// The mean of the last window.
    pub(super) round_trip: Duration,
}

/// If too few blocks ended in a window, it goes on for at most so many times its length before it is given up.
const PATIENT: u32 = 10;

impl<L: Limit> Window<L> {
    pub(super) const fn new(limit: L) -> Self {
        Self {
            limit,
            lasts: Duration::from_millis(100),
            at_least: 10,
            began: None,
            replied: 0,
            lost: 0,
            sum: Duration::ZERO,
            in_flight: 0,
            round_trip: Duration::ZERO,
        }
    }

    /// A block ended: `round_trip` is `None` if it was lost. Returns the limit if it has to change.
    pub(super) fn add(&mut self, now: Instant, round_trip: Option<Duration>, in_flight: usize) -> Option<usize> {
        let began = *self.began.get_or_insert(now);
        match round_trip {
            Some(time) => {
                self.replied += 1;
                self.sum = self.sum.saturating_add(time);
            }
            None => self.lost += 1,
        }
        self.in_flight = self.in_flight.max(in_flight);
        let open = now.saturating_duration_since(began);
        // A window lasts at least two round trips, so that most of the blocks that end in a window began in it or in
        // the one before.
        let at_most = self.lasts.saturating_mul(PATIENT);
        let enough = self.replied + self.lost >= self.at_least;
        let lasts = if enough { self.lasts.max(self.round_trip.saturating_mul(2)).min(at_most) } else { at_most };
        if open < lasts {
            return None;
        }
        // A few quick blocks, such as health checks, are not enough to judge by.
        let sample = (enough || self.lost > 0).then(|| self.sample());
        (self.began, self.replied, self.lost, self.sum, self.in_flight) = (Some(now), 0, 0, Duration::ZERO, 0);
        let sample = sample?;
        self.round_trip = sample.round_trip.unwrap_or(self.round_trip);
        let before = self.limit.limit();
        let limit = self.limit.update(&sample);
        (limit != before).then_some(limit)
    }

    fn sample(&self) -> Sample {
        let mean = self.sum.as_nanos().checked_div(u128::from(self.replied));
        let mean = mean.map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        let mut sample = Sample::lost(self.in_flight);
        (sample.round_trip, sample.replied, sample.lost) = (mean, self.replied, self.lost);
        sample
    }
}
