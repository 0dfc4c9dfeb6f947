//! [`Outcome`]: how a request to a member ended, and [`Seat::note`], by which the member's seat hears of it.

use core::time::Duration;
use std::time::Instant;

use super::registry::now;
use super::seat::Seat;

/// How a request to a member ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A reply came.
    Replied {
        /// Whether the reply is one of a member that is well. Where the protocol is HTTP, whoever notes it says `false` for a 5xx, and `true` for all
        /// others: a 4xx is the caller's mistake, and never the member's.
        ok: bool,
    },
    /// No reply came: the connection was refused or broken, or what came was no reply.
    Failed,
    /// No reply came in time.
    TimedOut,
    /// Whoever asked does not want the reply any more. It says nothing about the member.
    Cancelled,
    /// Whoever asked has panicked. It says nothing about the member.
    Panicked,
}

impl<T> Seat<T> {
    /// Notes how a request ended that was under way to this member for as long as `took`.
    ///
    /// It is called once for each request, after its end. It allocates nothing, and waits for nobody, unless the member is to be [ejected](super::Health) for it:
    /// then it takes the registry's lock, so it is not called from where that is held ([`change_state`](super::Registry::change_state)).
    pub fn note(&self, outcome: Outcome, took: Duration) {
        self.note_at(outcome, took, now());
    }

    /// Notes it, where the time is known already.
    pub(super) fn note_at(&self, outcome: Outcome, took: Duration, now: Instant) {
        self.latency.observe(outcome, took, now);
        self.count_at(outcome, took, now);
    }

    /// Notes it but for what it took, which is known already.
    pub(super) fn count_at(&self, outcome: Outcome, took: Duration, now: Instant) {
        self.counters.count(outcome);
        if let Some(noticed) = self.noticed() {
            noticed.note(self.registration(), outcome, took, now);
        }
    }
}
