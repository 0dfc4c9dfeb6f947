//! [`Health`]: when a member is ejected, for how long, and how many may be.

use core::time::Duration;

use super::window::BUCKETS;
use crate::upstream::snapshot::Counts;

/// When a member is [`Ejected`](crate::upstream::State::Ejected) for how its requests ended, for how long, and which
/// members are asked when many are not well. It is set [when the registry is
/// made](crate::upstream::Registry::with_health).
///
/// The call that [notes](crate::upstream::Seat::note) one failure too many ejects the member. No task is involved: the
/// next snapshot shows it. That snapshot is there when `note` returns, or a
/// [spacing](crate::upstream::Registry::with_spacing) later if a task keeps the registry. A member returns when its
/// time is over.
///
/// |  | default |
/// | --- | --- |
/// | [`failures`](Self::failures) | 5 failures in a row; or 2, if they have lasted for 10 s |
/// | [`success`](Self::success) | less than half of the requests succeed, of at least 20 within 30 s |
/// | [`ejection`](Self::ejection) | 5 s at first, then twice as long each time, up to 5 minutes; randomly up to a tenth more |
/// | [`at_most`](Self::at_most) | at most half of all members are out |
/// | [`panic_below`](Self::panic_below) | all members are asked if less than 30 % are ready |
/// | [`slow_start`](Self::slow_start) | a member that returns has its full share after 10 s |
///
/// A failure is [`Failed`](crate::upstream::Outcome::Failed), [`TimedOut`](crate::upstream::Outcome::TimedOut), and a
/// reply that is not `ok` unless [`replies`](Self::replies) says otherwise. A request that was cancelled, or whose
/// caller panicked, does not count. After a member was ejected, only requests count that began after its return. The
/// first of them decides: if it fails, the member is ejected again.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::upstream::{Health, Member, Outcome, Registry, State};
///
/// let registry = Registry::new().with_health(Health::new().failures(3, Duration::from_secs(10)));
/// for name in ["a", "b"] {
///     registry.register(Member::new(name, 80), Duration::MAX)?;
/// }
/// let state = |name: &str| registry.snapshot().get(name).unwrap().state();
///
/// let snapshot = registry.snapshot().keep();
/// let seat = snapshot.get("a").unwrap().seat();
/// let took = Duration::from_millis(2);
/// seat.note(Outcome::Failed, took);
/// seat.note(Outcome::Replied { ok: false }, took);
/// assert_eq!(state("a"), State::Ready);
/// seat.note(Outcome::TimedOut, took);
/// assert!(matches!(state("a"), State::Ejected { .. }));
///
/// // At most half of all members are ejected, so the last one stays.
/// let seat = snapshot.get("b").unwrap().seat();
/// (0..100).for_each(|_| seat.note(Outcome::Failed, took));
/// assert_eq!(state("b"), State::Ready);
/// # Ok::<(), chain_runtime::upstream::Refused>(())
/// ```
///
/// # Sources
///
/// Envoy's outlier detection has consecutive failures, growing ejections, the ceiling and the panic threshold.
/// linkerd2#4561 is about why a success rate needs a minimum of samples, and not an average that fades: with one
/// request a second, an average is one request. Here the rate is that of the newest buckets that together have enough
/// samples: many requests are judged within one bucket, a 64th of the window, and few requests by the whole window.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    pub(super) failures: u32,
    pub(super) lasting: Duration,
    pub(super) window: Duration,
    pub(super) samples: u32,
    pub(super) success: f64,
    pub(super) replies: bool,
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) jitter: f64,
    pub(super) at_most: f64,
    pub(super) panic_below: f64,
    pub(super) slow_start: Duration,
}

impl Health {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: 5,
            lasting: Duration::from_secs(10),
            window: Duration::from_secs(30),
            samples: 20,
            success: 0.5,
            replies: true,
            first: Duration::from_secs(5),
            longest: Duration::from_secs(300),
            jitter: 0.1,
            at_most: 0.5,
            panic_below: 0.3,
            slow_start: Duration::from_secs(10),
        }
    }

    /// Ejects a member for this many failures in a row, without a success in between; or for two in a row, if the first
    /// of them was noted `lasting` ago. The latter is for members that are seldom asked. It is at most 65,535 failures.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[must_use]
    pub const fn failures(mut self, count: u32, lasting: Duration) -> Self {
        assert!(count > 0, "nobody is ejected for no failure at all");
        self.failures = if count > 65_535 { 65_535 } else { count };
        self.lasting = lasting;
        self
    }

    /// Ejects a member if less than this share of its requests succeeds, of at least so many within the window. A share
    /// of 0.0 ejects none.
    ///
    /// The newest requests are judged: those in as many buckets as it takes to have so many, where a bucket is a 64th
    /// of the window. A window is at least 64 ms long.
    ///
    /// # Panics
    ///
    /// If the share is not within 0.0 and 1.0, or there are no samples.
    #[must_use]
    pub const fn success(mut self, share: f64, samples: u32, window: Duration) -> Self {
        assert!(0.0 <= share && share <= 1.0, "a share is within 0.0 and 1.0");
        assert!(samples > 0, "a share of nothing says nothing");
        self.success = share;
        self.samples = samples;
        self.window = window;
        self
    }

    /// Sets whether a reply that is not `ok`, a 5xx, is a failure. If it is not, it is a success: the member is there.
    #[must_use]
    pub const fn replies(mut self, count: bool) -> Self {
        self.replies = count;
        self
    }

    /// Sets the length of ejections: `first`, and twice as long each time after that, up to `longest`. The doublings
    /// are undone again: one for each time that the member was back for as long as its last ejection.
    ///
    /// The length is at least a bucket of the window.
    #[must_use]
    pub const fn ejection(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// Makes each ejection randomly longer, by up to this share, so that members that were ejected together do not
    /// return together.
    ///
    /// # Panics
    ///
    /// If the share is not within 0.0 and 1.0.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        assert!(0.0 <= share && share <= 1.0, "a share is within 0.0 and 1.0");
        self.jitter = share;
        self
    }

    /// Ejects no member if more than this share of all members would then be ejected or unhealthy. Drained members do
    /// not count.
    ///
    /// # Panics
    ///
    /// If the share is not within 0.0 and 1.0.
    #[must_use]
    pub const fn at_most(mut self, share: f64) -> Self {
        assert!(0.0 <= share && share <= 1.0, "a share is within 0.0 and 1.0");
        self.at_most = share;
        self
    }

    /// Lets all members be asked, however well they are, while less than this share of them is ready: to judge so many
    /// to be ill is probably a mistake of the judge, and the rest could not carry the load. Drained members do not
    /// count. 0.0 turns this off.
    ///
    /// # Panics
    ///
    /// If the share is not within 0.0 and 1.0.
    #[must_use]
    pub const fn panic_below(mut self, share: f64) -> Self {
        assert!(0.0 <= share && share <= 1.0, "a share is within 0.0 and 1.0");
        self.panic_below = share;
        self
    }

    /// Gives a member that returns a tenth of its share at first, growing until this time has passed.
    #[must_use]
    pub const fn slow_start(mut self, time: Duration) -> Self {
        self.slow_start = time;
        self
    }

    /// Milliseconds of a bucket.
    pub(super) fn bucket(&self) -> u64 {
        milliseconds(self.window).div_ceil(BUCKETS as u64).max(1)
    }

    pub(in crate::upstream) const fn whole_after(&self) -> Duration {
        self.slow_start
    }

    /// Whether one more member may be ejected.
    pub(in crate::upstream) fn has_room(&self, counts: Counts) -> bool {
        (counts.ejected + counts.unhealthy + 1) as f64 <= self.at_most * asked(counts) as f64
    }

    /// Whether all members are to be asked.
    pub(in crate::upstream) fn is_panic(&self, counts: Counts) -> bool {
        (counts.ready as f64) < self.panic_below * asked(counts) as f64
    }
}

/// The members that would be asked if they were well.
const fn asked(counts: Counts) -> usize {
    counts.ready + counts.ejected + counts.unhealthy
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}
