//! How fast a reading grows, and when it will be full.

use std::time::{Duration, Instant};

use super::Level;

/// Treats a source as if its growth had happened: if it will be full within a time, it is at `level` now.
///
/// The slope is smoothed: each reading moves it by the share `1 - exp(-dt / smoothing)` towards the growth since the
/// previous reading. So one leap is not a slope, and lasting growth is one after roughly `smoothing`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// How far it looks ahead.
    pub within: Duration,
    /// How long growth has to last to count. With zero, the last two readings are the slope.
    pub smoothing: Duration,
    /// Below this share of full, nothing is projected: a process that starts fills memory fast, without being in need.
    pub from: f64,
    /// The level of a source that will be full soon.
    pub level: Level,
}

impl Projection {
    /// A source that will be full within 5 s is high now. Growth counts after roughly 2 s, and from half full on.
    pub const DEFAULT: Self =
        Self { within: Duration::from_secs(5), smoothing: Duration::from_secs(2), from: 0.5, level: Level::High };
}

/// [`Projection::DEFAULT`].
impl Default for Projection {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A smoothed slope, in shares of full in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    last: Option<(Instant, f64)>,
    in_a_second: f64,
}

impl Slope {
    /// Takes in a reading, as a share of full. The slope begins anew if the size of full has changed.
    pub(super) fn see(&mut self, now: Instant, share: f64, smoothing: Duration, same_scale: bool) {
        let Some((before, last)) = self.last.filter(|_| same_scale) else {
            *self = Self { last: Some((now, share)), in_a_second: 0.0 };
            return;
        };
        let passed = now.saturating_duration_since(before).as_secs_f64();
        // A clock that stands still says nothing about speed.
        if passed <= 0.0 {
            return;
        }
        let smoothing = smoothing.as_secs_f64();
        let weight = if smoothing > 0.0 { 1.0 - (-passed / smoothing).exp() } else { 1.0 };
        self.in_a_second += weight * ((share - last) / passed - self.in_a_second);
        self.last = Some((now, share));
    }

    pub(super) const fn in_a_second(&self) -> f64 {
        self.in_a_second
    }

    /// Whether it is full within the projection's time.
    pub(super) fn is_full_soon(&self, projection: &Projection) -> bool {
        self.last.is_some_and(|(_, share)| {
            let ahead = projection.within.as_secs_f64();
            share >= projection.from && self.in_a_second > 0.0 && share + self.in_a_second * ahead >= 1.0
        })
    }
}
