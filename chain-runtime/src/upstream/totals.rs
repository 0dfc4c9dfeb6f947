//! [`Totals`]: how all requests to a member ended.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::outcome::Outcome;
use super::seat::Seat;

/// How many requests to a member ended, by their outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// With a reply of a member that is well.
    pub ok: u64,
    /// With a reply of a member that is not.
    pub not_ok: u64,
    /// Without a reply.
    pub failed: u64,
    /// Without a reply in time.
    pub timed_out: u64,
    /// Nobody wanted the reply any more.
    pub cancelled: u64,
    /// Whoever asked has panicked.
    pub panicked: u64,
}

impl Totals {
    /// All of them.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.ok + self.not_ok + self.failed + self.timed_out + self.cancelled + self.panicked
    }
}

/// The counters, in the order of [`Totals`].
#[derive(Debug, Default)]
pub(super) struct Counters([AtomicU64; 6]);

impl Counters {
    pub(super) fn count(&self, outcome: Outcome) {
        let which = match outcome {
            Outcome::Replied { ok: true } => 0,
            Outcome::Replied { ok: false } => 1,
            Outcome::Failed => 2,
            Outcome::TimedOut => 3,
            Outcome::Cancelled => 4,
            Outcome::Panicked => 5,
        };
        self.0[which].fetch_add(1, Relaxed);
    }
}

impl<T> Seat<T> {
    /// How all requests ended so far of which it was [noted](Self::note): a [`Lease`](super::Lease) does so. Each number is read by itself.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let [ok, not_ok, failed, timed_out, cancelled, panicked] =
            self.counters.0.each_ref().map(|one| one.load(Relaxed));
        Totals { ok, not_ok, failed, timed_out, cancelled, panicked }
    }
}
