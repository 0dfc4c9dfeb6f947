//! [`Totals`]: how all requests to a member ended; and [`RegistryTotals`]: how many members came, went and were
//! ejected.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::outcome::Outcome;

/// How many requests to a member ended, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// With a reply of a healthy member.
    pub ok: u64,
    /// With a reply that shows that the member is not well.
    pub not_ok: u64,
    /// Without a reply.
    pub failed: u64,
    /// Without a reply in time.
    pub timed_out: u64,
    /// The caller no longer wanted the reply.
    pub cancelled: u64,
    /// The caller panicked.
    pub panicked: u64,
}

impl Totals {
    /// All of them.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.ok + self.not_ok + self.failed + self.timed_out + self.cancelled + self.panicked
    }
}

/// The counters; those of outcomes are in the order of [`Totals`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    outcomes: [AtomicU64; 6],
    /// Written under the registry's lock.
    ejections: AtomicU64,
}

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
        self.outcomes[which].fetch_add(1, Relaxed);
    }

    pub(super) fn count_ejection(&self) {
        self.ejections.fetch_add(1, Relaxed);
    }

    pub(super) fn totals(&self) -> Totals {
        let [ok, not_ok, failed, timed_out, cancelled, panicked] =
            self.outcomes.each_ref().map(|one| one.load(Relaxed));
        Totals { ok, not_ok, failed, timed_out, cancelled, panicked }
    }

    pub(super) fn ejections(&self) -> u64 {
        self.ejections.load(Relaxed)
    }
}

/// What has happened in a registry so far. The numbers do not fall when members go. What is known only of present
/// members is in the [snapshot](super::Snapshot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryTotals {
    /// Members that were registered, by themselves or by a list.
    pub registered: u64,
    /// Members whose leases expired.
    pub evicted: u64,
    /// Members that were removed, by themselves or by a list.
    pub removed: u64,
    /// Members whose names were registered anew while they were there.
    pub superseded: u64,
    /// Heartbeats that came too late.
    pub late: u64,
    /// Members that were refused because there were too many.
    pub full: u64,
    /// Members that were refused because their names were invalid.
    pub misnamed: u64,
    /// How often a member was ejected, by cause.
    pub ejected: Ejected,
    /// How often a check found that a member is no longer well.
    pub unhealthy: u64,
    /// Lists of members that were taken.
    pub lists_taken: u64,
    /// Lists that were refused as a whole.
    pub lists_refused: u64,
    /// How often a source that is [followed](super::Registry::follow) had an error and no list.
    pub lists_failed: u64,
}

/// How often members were ejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ejected {
    /// For [failures](super::Health::failures) in a row.
    pub in_a_row: u64,
    /// For failures in a row that have lasted.
    pub lasting: u64,
    /// For too small a share of requests that [succeed](super::Health::success).
    pub rate: u64,
    /// By [`change_state`](super::Registry::change_state).
    pub told: u64,
}

/// Why a member is ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    InARow,
    Lasting,
    Rate,
    Told,
}

impl RegistryTotals {
    /// Zeros.
    pub(super) const NONE: Self = Self {
        registered: 0,
        evicted: 0,
        removed: 0,
        superseded: 0,
        late: 0,
        full: 0,
        misnamed: 0,
        ejected: Ejected { in_a_row: 0, lasting: 0, rate: 0, told: 0 },
        unhealthy: 0,
        lists_taken: 0,
        lists_refused: 0,
        lists_failed: 0,
    };
}

impl Ejected {
    pub(super) const fn of(&mut self, cause: Cause) -> &mut u64 {
        match cause {
            Cause::InARow => &mut self.in_a_row,
            Cause::Lasting => &mut self.lasting,
            Cause::Rate => &mut self.rate,
            Cause::Told => &mut self.told,
        }
    }
}
