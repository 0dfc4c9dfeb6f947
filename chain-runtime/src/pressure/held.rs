//! A level that rises at once and falls slowly.

use std::time::{Duration, Instant};

use super::Level;

/// The level of one source: it rises at once, and falls by one step when it was not needed for the whole dwell.
///
/// The tests rely on a consequence of the dwell: between a reading that keeps a level up and the fall from that level
/// there is at least a dwell, and also between two falls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    level: Level,
    /// When the level was entered, or last kept up.
    needed: Option<Instant>,
}

impl Held {
    pub(super) const fn new() -> Self {
        Self { level: Level::Calm, needed: None }
    }

    /// The level is needed, though there is no reading.
    pub(super) const fn keep(&mut self, now: Instant) {
        self.needed = Some(now);
    }

    /// `entered` is the level to which a reading rises, `kept` the level that it keeps up.
    pub(super) fn see(&mut self, now: Instant, entered: Level, kept: Level, dwell: Duration) -> Level {
        if entered > self.level {
            self.level = entered;
            self.needed = Some(now);
        } else if kept >= self.level {
            self.needed = Some(now);
        } else if self.needed.is_none_or(|needed| now.saturating_duration_since(needed) >= dwell) {
            // `kept` is below, so this one is not the lowest.
            self.level = Level::ALL[self.level as usize - 1];
            self.needed = Some(now);
        }
        self.level
    }
}
