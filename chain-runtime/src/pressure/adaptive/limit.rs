//! Limits: they find how many blocks may run at once. And what they are told.

mod aimd;
mod average;
mod gradient2;
mod probe;
mod vegas;

use core::time::Duration;
use std::boxed::Box;

pub use aimd::Aimd;
pub use gradient2::Gradient2;
pub use vegas::Vegas;

/// Finds out how many blocks may run at once, from the times of the blocks in each window.
///
/// [`Adaptive`](super::Adaptive) calls [`update`](Self::update) at the end of each window, one call at a time.
///
/// ```
/// use chain_runtime::pressure::{Limit, Sample};
///
/// /// Halves if anything was lost, and never grows.
/// struct Cautious(usize);
///
/// impl Limit for Cautious {
///     fn limit(&self) -> usize { self.0 }
///
///     fn update(&mut self, sample: &Sample) -> usize {
///         if sample.lost > 0 {
///             self.0 = (self.0 / 2).max(1);
///         }
///         self.0
///     }
/// }
///
/// let mut limit = Cautious(8);
/// assert_eq!(limit.update(&Sample::replied(std::time::Duration::from_millis(5), 8)), 8);
/// assert_eq!(limit.update(&Sample::lost(1)), 4);
/// ```
pub trait Limit {
    /// How many blocks may run at once now.
    fn limit(&self) -> usize;

    /// A window is over. Returns how many blocks may run at once from now on.
    fn update(&mut self, sample: &Sample) -> usize;

    /// The round trip of a system in which nothing waits. `None` if it is not known.
    fn baseline(&self) -> Option<Duration> {
        None
    }
}

/// With this, the kind of limit can be chosen when the program starts: `Adaptive<Anyone, Box<dyn Limit + Send>>`.
impl<L: Limit + ?Sized> Limit for Box<L> {
    fn limit(&self) -> usize {
        (**self).limit()
    }

    fn update(&mut self, sample: &Sample) -> usize {
        (**self).update(sample)
    }

    fn baseline(&self) -> Option<Duration> {
        (**self).baseline()
    }
}

/// The results of the blocks that ended in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// The mean time of those that replied. `None` if no block replied.
    pub round_trip: Option<Duration>,
    /// The largest number that ran at once when one of these blocks began, including that block.
    pub in_flight: usize,
    /// How many replied.
    pub replied: u64,
    /// How many timed out, or gave a reply that counts as lost. Their times are not in `round_trip`.
    pub lost: u64,
}

impl Sample {
    /// One block replied after `round_trip`; `in_flight` blocks ran at once when it began.
    #[must_use]
    pub const fn replied(round_trip: Duration, in_flight: usize) -> Self {
        Self { round_trip: Some(round_trip), in_flight, replied: 1, lost: 0 }
    }

    /// One block was lost; `in_flight` blocks ran at once when it began.
    #[must_use]
    pub const fn lost(in_flight: usize) -> Self {
        Self { round_trip: None, in_flight, replied: 0, lost: 1 }
    }

    /// The same, with so many more lost.
    #[must_use]
    pub const fn and_lost(mut self, lost: u64) -> Self {
        self.lost = self.lost.saturating_add(lost);
        self
    }

    /// The same, as if so many blocks had replied.
    #[must_use]
    pub const fn times(mut self, replied: u64) -> Self {
        self.replied = replied;
        self
    }

    /// The share of blocks that was lost, from 0 to 1.
    #[must_use]
    pub fn lost_share(&self) -> f64 {
        match self.replied.saturating_add(self.lost) {
            0 => 0.0,
            all => self.lost as f64 / all as f64,
        }
    }

    /// In nanoseconds; `None` if no block replied.
    fn nanos(&self) -> Option<f64> {
        // A clock that stands still must not lead to a division by zero.
        self.round_trip.map(|time| (time.as_nanos() as f64).max(1.0))
    }
}

/// The loss that is no sign of overload: one in a hundred.
const TOLERATED_LOSS: f64 = 0.01;

/// The share of lost blocks, if it is above the tolerated one.
fn loss(sample: &Sample) -> f64 {
    let share = sample.lost_share();
    if share > TOLERATED_LOSS { share } else { 0.0 }
}

/// A setting from `least` to 1; NaN becomes the least.
fn share(part: f64, least: f64) -> f64 {
    if part.is_nan() { least } else { part.clamp(least, 1.0) }
}

/// A limit that stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(pub usize);

impl Limit for Fixed {
    fn limit(&self) -> usize {
        self.0
    }

    fn update(&mut self, _: &Sample) -> usize {
        self.0
    }
}
