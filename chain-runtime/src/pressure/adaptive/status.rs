//! The readable state of a limit.

use core::time::Duration;

use super::priority::Priority;
use super::turned_away::Reason;
use crate::shed::Level;

/// An [`Adaptive`](super::Adaptive) at one moment, as plain data: for a page, for metrics.
///
/// The figures are read one after the other while others change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdaptiveStatus {
    /// How many may run at once, before the level lowers it.
    pub limit: usize,
    /// How many run.
    pub in_flight: usize,
    /// How many wait, by priority.
    pub waiting: [usize; 3],
    /// How many may wait.
    pub places: usize,
    /// For how long some request has always been waiting.
    pub busy_for: Duration,
    /// The mean time of a block in the last window.
    pub round_trip: Duration,
    /// The round trip that the limit assumes for a system in which nothing waits.
    pub baseline: Option<Duration>,
    /// The level of pressure that it follows; `Calm` if it follows none.
    pub level: Level,
    /// How many were turned away so far, by reason and then by priority.
    pub turned_away: [[u64; 3]; 5],
}

impl AdaptiveStatus {
    /// How many of this priority were turned away for this reason.
    #[must_use]
    pub const fn turned_away(&self, reason: Reason, priority: Priority) -> u64 {
        self.turned_away[reason as usize][priority as usize]
    }

    /// How many were turned away.
    #[must_use]
    pub fn turned_away_in_all(&self) -> u64 {
        self.turned_away.iter().flatten().sum()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting_in_all(&self) -> usize {
        self.waiting.iter().sum()
    }
}
