//! How much each member is to be asked: nothing, its whole share, or a part of it after its return.

use core::time::Duration;
use std::time::Instant;

use crate::upstream::snapshot::{Entry, Snapshot, State};

/// The part of its share for which a member is asked that has just returned.
const LEAST: f32 = 0.1;

impl<T> Snapshot<T> {
    /// How much of its [weight](Entry::weight) this member is to be asked now. 0.0 is nothing, 1.0 is all of it, and
    /// values in between follow its return ([`Health::slow_start`](super::Health::slow_start)). After its return it is
    /// at least a tenth.
    ///
    /// A member whose ejection is over is to be asked, even if no snapshot says yet that it is ready. In a
    /// [panic](Self::is_panic), all members are to be asked alike, except the drained ones.
    ///
    /// It depends only on the snapshot and the time, so it takes no lock and allocates nothing.
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
