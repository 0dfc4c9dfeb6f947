//! [`Lease`]: one request to one member, from the pick to its end.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::clock::now;
use super::outcome::Outcome;
use super::seat::{InFlight, Seat};

/// One request to one member. [`Pick`](super::Pick) provides it, later nodes borrow it, and dropping it returns it.
///
/// A later node reports how the request ended: [`replied`](Self::replied), [`failed`](Self::failed),
/// [`timed_out`](Self::timed_out) or [`cancelled`](Self::cancelled). The request's time is the time until the report,
/// and not until the lease is returned. If there is more than one report, the last one counts.
///
/// Without a report, the end of the run decides:
///
/// | the run | outcome |
/// | --- | --- |
/// | is replied | [`Replied { ok: true }`](Outcome::Replied) |
/// | is cut short by a node after the pick | [`Cancelled`](Outcome::Cancelled): it may be the caller's mistake, for which no member is to blame |
/// | is cancelled | [`Cancelled`](Outcome::Cancelled), or [`TimedOut`](Outcome::TimedOut) past [`Pick::timeout`](super::Pick::timeout) |
/// | panics | [`Panicked`](Outcome::Panicked) |
///
/// A lease outside of a chain is [`Cancelled`](Outcome::Cancelled) without a report. A run that is dropped by a thread
/// that happens to be panicking counts as `Panicked`. Both say nothing about the member.
///
/// ```text
///   begin: in flight +1                                            drop: the outcome is noted, in flight -1
///   ──────────────────► out ── replied, failed, timed_out ──► said ───────────────────────────────────────► returned
///                        └──────────── exit, cancelled, panic: by how the run ended ─────────────────────────▲
/// ```
#[must_use = "the request is in flight until this is dropped"]
pub struct Lease<T> {
    in_flight: InFlight<T>,
    begun: Instant,
    timeout: Option<Duration>,
    /// The report, in the upper byte, and below it its nanoseconds after `begun`. 0 if there is none.
    said: AtomicU64,
    /// Whether the time of a good reply was already noted for the member.
    is_heard: bool,
}

const OK: u64 = 1;
const NOT_OK: u64 = 2;
const FAILED: u64 = 3;
const TIMED_OUT: u64 = 4;
const CANCELLED: u64 = 5;

/// The bits of the nanoseconds in the word. They last for two years.
const SAID: u32 = 56;

impl<T> Lease<T> {
    pub(super) const fn new(in_flight: InFlight<T>, begun: Instant, timeout: Option<Duration>) -> Self {
        Self { in_flight, begun, timeout, said: AtomicU64::new(0), is_heard: false }
    }

    /// The member's endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &T {
        self.seat().endpoint()
    }

    /// The member.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        self.in_flight.seat()
    }

    /// Keeps the request in flight. A body that is still read when the lease is returned can keep a clone of it, so
    /// that the member is not drained before.
    #[must_use]
    pub const fn in_flight(&self) -> &InFlight<T> {
        &self.in_flight
    }

    /// How long it has been out.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.begun)
    }

    /// A reply came. `ok` is whether it is the reply of a healthy member: see [`Outcome::Replied`].
    pub fn replied(&self, ok: bool) {
        self.say(if ok { OK } else { NOT_OK });
    }

    /// A good reply has begun, and goes on. Its time is noted for the member now, so that a balancer that uses times
    /// does not wait for the reply's end. But this is not done for a member whose last request failed, since this one
    /// may fail at its end as well. The outcome is noted when the lease is returned; until then it can still become
    /// [failed](Self::failed).
    pub fn streams(&mut self) {
        self.streams_at(now());
    }

    pub(crate) fn streams_at(&mut self, now: Instant) {
        self.say_at(OK, now);
        let (outcome, took) = self.outcome(now);
        if !self.is_heard && !self.seat().latency.is_failing() {
            self.is_heard = true;
            self.seat().latency.observe(outcome, took, now);
        }
    }

    /// Whether the time was already noted for the member.
    #[cfg(feature = "proxy")]
    pub(crate) const fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// No reply came.
    pub fn failed(&self) {
        self.say(FAILED);
    }

    /// No reply came in time.
    pub fn timed_out(&self) {
        self.say(TIMED_OUT);
    }

    /// The caller no longer wants the reply, or has made a mistake: this says nothing about the member.
    pub fn cancelled(&self) {
        self.say(CANCELLED);
    }

    /// The run goes back through the node that provides the lease.
    pub(super) fn leave(&self, cut_short: bool) {
        if self.said.load(Relaxed) == 0 {
            self.say(if cut_short { CANCELLED } else { OK });
        }
    }

    fn say(&self, what: u64) {
        self.say_at(what, now());
    }

    fn say_at(&self, what: u64, now: Instant) {
        let took = u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        self.said.store((what << SAID) | took.min((1 << SAID) - 1), Relaxed);
    }

    fn outcome(&mut self, now: Instant) -> (Outcome, Duration) {
        let said = *self.said.get_mut();
        let outcome = match said >> SAID {
            OK => Outcome::Replied { ok: true },
            NOT_OK => Outcome::Replied { ok: false },
            FAILED => Outcome::Failed,
            TIMED_OUT => Outcome::TimedOut,
            CANCELLED => Outcome::Cancelled,
            _ => {
                let took = now.saturating_duration_since(self.begun);
                let is_late = self.timeout.is_some_and(|timeout| took >= timeout);
                let outcome = match (thread::panicking(), is_late) {
                    (true, _) => Outcome::Panicked,
                    (_, true) => Outcome::TimedOut,
                    _ => Outcome::Cancelled,
                };
                return (outcome, took);
            }
        };
        (outcome, Duration::from_nanos(said & ((1 << SAID) - 1)))
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        let now = now();
        let (outcome, took) = self.outcome(now);
        let seat = self.in_flight.seat();
        if self.is_heard && outcome == (Outcome::Replied { ok: true }) {
            seat.count_at(outcome, took, now);
        } else {
            seat.note_at(outcome, took, now);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("seat", self.seat()).field("elapsed", &self.elapsed()).finish_non_exhaustive()
    }
}
