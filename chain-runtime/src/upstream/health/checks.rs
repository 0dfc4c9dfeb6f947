//! [`Checks`]: how often members are checked; and [`Check`]: how one of them is checked.

use core::fmt;
use core::future::Future;
use core::time::Duration;

use crate::upstream::member::Registration;
use crate::upstream::seat::Seat;
use crate::upstream::snapshot::State;

/// Checks a member. [`Connect`](super::Connect) is such a check.
///
/// ```
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::{Check, Seat};
///
/// /// A member is well while its process says so in a file.
/// struct Flag;
///
/// impl Check<SocketAddr> for Flag {
///     type Error = std::io::Error;
///
///     async fn check(&self, seat: &Seat<SocketAddr>) -> Result<(), Self::Error> {
///         let path = format!("/run/shards/{}.well", seat.name());
///         tokio::task::spawn_blocking(move || std::fs::metadata(path).map(drop)).await.map_err(std::io::Error::other)?
///     }
/// }
/// ```
pub trait Check<T>: Send + Sync + 'static {
    /// Why the member is not well.
    type Error: Send + 'static;

    /// Completes when it is known whether the member is well. The future is dropped when it takes longer than [its
    /// time](Checks::time_limit), which counts as an error.
    fn check(&self, seat: &Seat<T>) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// How often members are checked, and how many results in a row decide. See
/// [`Registry::check`](crate::upstream::Registry::check).
#[derive(Clone, Debug, PartialEq)]
pub struct Checks {
    pub(super) interval: Duration,
    pub(super) jitter: f64,
    pub(super) time_limit: Duration,
    pub(super) rise: u32,
    pub(super) fall: u32,
    pub(super) at_once: usize,
}

impl Checks {
    /// A check of each member every 2 seconds, randomly a tenth more or less, within 1 second. Two checks that find a
    /// member well, or three that do not, decide. At most 64 run at once.
    #[must_use]
    pub const fn new() -> Self {
        let second = Duration::from_secs(1);
        Self { interval: Duration::from_secs(2), jitter: 0.1, time_limit: second, rise: 2, fall: 3, at_once: 64 }
    }

    /// Sets the time from the beginning of a member's check to that of the next one, at least 1 ms. `jitter` is the
    /// share of it by which it is randomly longer or shorter, so that several checking machines do not come all at
    /// once. A check that takes longer delays the next one. The first check comes within one interval.
    ///
    /// # Panics
    ///
    /// If `jitter` is not within 0.0 and 1.0.
    #[must_use]
    pub const fn interval(mut self, interval: Duration, jitter: f64) -> Self {
        assert!(0.0 <= jitter && jitter <= 1.0, "a share is within 0.0 and 1.0");
        self.interval = interval;
        self.jitter = jitter;
        self
    }

    /// Sets how long a check may take.
    #[must_use]
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sets how many checks in a row make a member well again, and how many make it not well.
    ///
    /// # Panics
    ///
    /// If one of them is 0.
    #[must_use]
    pub const fn rise_and_fall(mut self, rise: u32, fall: u32) -> Self {
        assert!(rise > 0 && fall > 0, "it takes a check to know");
        self.rise = rise;
        self.fall = fall;
        self
    }

    /// Sets how many checks may be under way at once. Those that wait begin in the order in which they became due.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[must_use]
    pub const fn at_once(mut self, checks: usize) -> Self {
        assert!(checks > 0, "nobody would ever be asked");
        self.at_once = checks;
        self
    }

    /// The time from the beginning of a check to that of the next one. `chance` is within 0.0 and 1.0.
    pub(super) fn pause(&self, chance: f64) -> Duration {
        let interval = self.interval.clamp(Duration::from_millis(1), LONGEST);
        interval.mul_f64(self.jitter.mul_add(2.0 * chance - 1.0, 1.0)).max(Duration::from_millis(1))
    }

    /// How long until the first check of a member.
    pub(super) fn first_pause(&self, chance: f64) -> Duration {
        self.interval.min(LONGEST).mul_f64(chance)
    }
}

/// No interval is longer than a year, whatever is set.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Default for Checks {
    fn default() -> Self {
        Self::new()
    }
}

/// A change that checks have found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found<E> {
    /// The member.
    pub member: Registration,
    /// Its new state.
    pub state: State,
    /// What the last check found, if the member is not well.
    pub why: Option<Ill<E>>,
}

/// Why a check did not find a member well.
#[derive(Debug)]
pub enum Ill<E> {
    /// The check failed with this error.
    Failed(E),
    /// The check took too long.
    TimedOut,
    /// The check panicked.
    Panicked,
}

impl<E: fmt::Display> fmt::Display for Ill<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the check took too long"),
            Self::Panicked => f.write_str("the check has panicked"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Found<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            None => write!(f, "{} is well again", self.member),
            Some(why) => write!(f, "{} is not well: {why}", self.member),
        }
    }
}
