//! [`Bound`]: the most that all machines together let through.

use core::fmt;
use core::time::Duration;

use super::quota::{Quota, nanos};

/// The most that all machines together let through for one key: a formula, and its result for a [`Quota`].
///
/// In any time *t*, with *rate* permits a second, *burst* in a full quota, *M* machines that keep grants of at most *B*
/// permits, each for a time of at most *E*:
///
/// > *rate* · *t* + *burst* + min(*M* · *B*, *rate* · *E*)
///
/// The first two terms are what the server grants in any such time by its clock, since it takes permits from the quota
/// when it grants them. The third term is what was granted before that time and is used in it. Such a grant is no older
/// than *E*, since a machine counts a grant's life from before it asked, and no machine keeps more than *B*. The third
/// term does not grow with *t*. A reply that is lost costs up to *B* permits, which no request uses then: less is let
/// through, not more.
///
/// More is let through when something goes wrong:
///
/// |  | at most this much more |
/// | --- | --- |
/// | Redis has lost its data, has evicted the key, or its clock was set forward | *burst*, each time |
/// | a machine's monotonic clock stands still, because a virtual machine is paused | *B*, each time |
/// | Redis is away for all, and limits are a `LocalShare` | *burst*, each time; and *M* · ⌈*burst* / *M*⌉ |
/// | Redis is away for some machines, and answers others | *rate* / *M*, for the time and each of these machines, in addition to the line above |
/// | Redis is away, and limits are `Open` | no bound |
/// | Redis is away, and limits are `Closed` | nothing |
///
/// A machine is also on its own for a single request that had no answer in time, or no place among those that wait.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
///
/// use chain_runtime::nodes::shared_rate_limit::{Quota, Trouble};
///
/// let number = |n| NonZeroU32::new(n).unwrap();
/// let bound = Quota::per_second(number(1_000), number(3)).burst(number(100)).bound();
/// assert_eq!(bound.overshoot(), 50);
/// assert_eq!(bound.admitted(Duration::from_secs(10)), 10_150);
/// assert_eq!(
///     bound.to_string(),
///     "1000 in 1s, burst 100, 3 machines: in any time t at most rate * t + 100 + 50 \
///      (3 machines keep up to 34 each, for up to 50ms)",
/// );
///
/// let emptied_twice = Trouble { emptied: 2, ..Trouble::default() };
/// assert_eq!(bound.admitted_in_trouble(Duration::from_secs(10), emptied_twice), 10_350);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    quota: Quota,
    most: u32,
    overshoot: u64,
}

/// What went wrong in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// How often Redis has lost its data, or its clock was set forward.
    pub emptied: u32,
    /// How often Redis was away for all machines, or for some. This matters for limits that are a `LocalShare`.
    pub outages: u32,
    /// How long Redis was away for some machines while others had answers, as the sum over these machines. This matters
    /// for limits that are a `LocalShare`.
    pub cut_off: Duration,
}

impl Quota {
    /// The most that all machines together let through, if grants live this long.
    #[must_use]
    pub fn bound(&self) -> Bound {
        Bound::of(self)
    }
}

impl Bound {
    pub(super) fn of(quota: &Quota) -> Self {
        let most = quota.terms().most;
        let held = u64::from(quota.machines.get()) * u64::from(most);
        Self { quota: *quota, most, overshoot: held.min(grown(quota, quota.lives)) }
    }

    /// The most permits over *rate* · *t* + *burst* while nothing goes wrong.
    #[must_use]
    pub const fn overshoot(&self) -> u64 {
        self.overshoot
    }

    /// The most requests that are let through in a period of this length while nothing goes wrong.
    #[must_use]
    pub fn admitted(&self, time: Duration) -> u64 {
        grown(&self.quota, time) + u64::from(self.quota.burst.get()) + self.overshoot
    }

    /// The most requests that are let through in a period of this length in which this went wrong.
    #[must_use]
    pub fn admitted_in_trouble(&self, time: Duration, trouble: Trouble) -> u64 {
        let Trouble { emptied, outages, cut_off } = trouble;
        let burst = u64::from(self.quota.burst.get());
        let machines = self.quota.machines.get();
        let on_its_own = if outages > 0 || !cut_off.is_zero() {
            let share = self.quota.burst.get().div_ceil(machines);
            u64::from(share) * u64::from(machines) + grown(&self.quota, cut_off).div_ceil(u64::from(machines))
        } else {
            0
        };
        self.admitted(time) + (u64::from(emptied) + u64::from(outages)) * burst + on_its_own
    }
}

/// The permits that grow in this time, rounded up.
fn grown(quota: &Quota, time: Duration) -> u64 {
    let grown = u128::from(nanos(time)) * u128::from(quota.rate.get());
    u64::try_from(grown.div_ceil(quota.period.as_nanos())).unwrap_or(u64::MAX)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quota: Quota { rate, period, burst, machines, lives }, most, overshoot } = self;
        write!(
            f,
            "{rate} in {period:?}, burst {burst}, {machines} machines: in any time t at most rate * t + {burst} + {overshoot} \
             ({machines} machines keep up to {most} each, for up to {lives:?})"
        )
    }
}
