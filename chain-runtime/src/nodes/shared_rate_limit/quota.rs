//! [`Quota`]: what all machines together may let through, and the portions in which each takes it.

use core::num::NonZeroU32;
use core::time::Duration;

/// How long a grant lives by default.
const LIVES: Duration = Duration::from_millis(50);

/// A quota that takes longer to be full again is refused. The numbers of the script can hold three times as much.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How often a key may ask, on all machines together.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
///
/// use chain_runtime::nodes::shared_rate_limit::Quota;
///
/// let number = |n| NonZeroU32::new(n).unwrap();
/// let quota = Quota::per_second(number(1_000), number(3)).burst(number(100)).grants_live(Duration::from_millis(20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub(super) rate: NonZeroU32,
    pub(super) period: Duration,
    pub(super) burst: NonZeroU32,
    pub(super) machines: NonZeroU32,
    pub(super) lives: Duration,
}

impl Quota {
    /// This many requests a second in the long run, and as many at once (see [`burst`](Self::burst)), on this many
    /// machines.
    #[must_use]
    pub const fn per_second(rate: NonZeroU32, machines: NonZeroU32) -> Self {
        Self::per(Duration::from_secs(1), rate, machines)
    }

    /// This many requests a minute.
    #[must_use]
    pub const fn per_minute(rate: NonZeroU32, machines: NonZeroU32) -> Self {
        Self::per(Duration::from_secs(60), rate, machines)
    }

    const fn per(period: Duration, rate: NonZeroU32, machines: NonZeroU32) -> Self {
        Self { rate, period, burst: rate, machines, lives: LIVES }
    }

    /// Sets how many requests may come at once, if that is another number than the rate.
    #[must_use]
    pub const fn burst(mut self, burst: NonZeroU32) -> Self {
        self.burst = burst;
        self
    }

    /// Sets how long a machine may keep permits that it has taken ahead of need. The default is 50 ms. A limit raises
    /// it to at least the [patience](crate::shared::Settings::patience) of its Redis, since a grant that has ended when
    /// it arrives is useless. The longer it is, the fewer requests ask Redis, and the more may be let through at once:
    /// see [`Bound`](super::Bound).
    #[must_use]
    pub fn grants_live(mut self, lives: Duration) -> Self {
        self.lives = lives.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// # Panics
    ///
    /// If the quota takes over thirty days to be full again.
    pub(super) fn terms(&self) -> Terms {
        let Self { rate, period, burst, machines, lives } = *self;
        let (burst, machines) = (burst.get(), machines.get());
        let step = period.as_nanos() as f64 / f64::from(rate.get());
        let full = step * f64::from(burst);
        assert!(full <= LONGEST.as_nanos() as f64, "a quota that takes over thirty days to be full again");
        let lives = nanos(lives);
        let in_life = lives as f64 / step;
        // The cast saturates.
        let ahead = ((in_life / f64::from(machines)) as u32).clamp(1, burst);
        let most = burst.div_ceil(machines).max(ahead);
        let pause = (f64::from(ahead - 1) * step).min(lives as f64 / 2.0).min(full / 2.0);
        Terms {
            step,
            burst,
            lives,
            ahead,
            most,
            pause: pause as u64,
            share_step: ((step * f64::from(machines)).ceil() as u64).max(1),
            share: burst.div_ceil(machines),
        }
    }
}

/// A quota, as a machine computes with it. Times are in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The time in which a permit grows.
    pub(super) step: f64,
    /// Permits in a full quota.
    pub(super) burst: u32,
    /// The time after which a grant ends.
    pub(super) lives: u64,
    /// The most permits that are taken ahead of need: what grows for one machine in a grant's life.
    pub(super) ahead: u32,
    /// The most permits that a machine has at once: as many as requests on it wait for.
    pub(super) most: u32,
    /// The time in which the machine does not ask again, beyond what the server said: when there will be many permits,
    /// a single one that has just grown is not worth a question.
    pub(super) pause: u64,
    /// The time in which a permit grows for one machine on its own.
    pub(super) share_step: u64,
    /// The permits in the full share of such a machine.
    pub(super) share: u32,
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::place::{Place, Step};
    use super::*;
    use crate::shared::Answer;

    #[test]
    fn a_grant_that_is_to_live_for_ever_lives_for_thirty_days() {
        let number = |n| NonZeroU32::new(n).unwrap();
        let quota = Quota::per_second(number(100), number(1)).grants_live(Duration::MAX);
        let terms = quota.terms();
        assert_eq!(terms.lives, nanos(LONGEST));
        let mut place = Place::new(1);
        assert_eq!(place.take(1, &terms, false), Step::Ask(1));
        place.answered(1, 2, &terms, Some(Answer { granted: 1, wait: Duration::ZERO }));
        assert_eq!(place.take(2, &terms, true), Step::Taken(None));
        assert!(matches!(place.take(3, &terms, false), Step::Ask(1..)));
    }
}
