//! How much each member is to be asked: nothing, all of its share, or part of it on return.

use core::time::Duration;
use std::time::Instant;

use crate::upstream::snapshot::{Entry, Snapshot, State};

/// What a member that has just returned is asked, of its share.
const LEAST: f32 = 0.1;

impl<T> Snapshot<T> {
    /// How much of its [weight](Entry::weight) this member is to be asked now: 0.0 is not at all, 1.0 all of it, and what is between comes
    /// after its return ([`Health::slow_start`](super::Health::slow_start)). It is at least a tenth then.
    ///
    /// A member whose ejection is over is to be asked, though no snapshot may say yet that it is ready. In a [panic](Self::is_panic), all
    /// are to be asked alike, but for those that are drained.
    ///
    /// It is a function of what the snapshot says, so it takes no lock and allocates nothing.
    #[must_use]
    pub fn share(&self, entry: &Entry<T>, now: Instant) -> f32 {
        let back = match entry.state {
            State::Draining => return 0.0,
            _ if self.is_panic() => return 1.0,
            State::Ready => entry.back,
            State::Ejected { until } if until <= now => Some(until),
            State::Ejected { .. } | State::Unhealthy => return 0.0,
        };
        back.map_or(1.0, |back| ramp(now.saturating_duration_since(back), self.slow_start()))
    }
}

fn ramp(since: Duration, whole: Duration) -> f32 {
    if since >= whole { 1.0 } else { (since.as_secs_f32() / whole.as_secs_f32()).max(LEAST) }
}
