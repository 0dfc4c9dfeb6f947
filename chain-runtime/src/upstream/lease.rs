//! [`Lease`]: one request to one member, from when it was picked to how it ended.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::outcome::Outcome;
use super::registry::now;
use super::seat::{InFlight, Seat};

/// One request to one member. [`Pick`](super::Pick) provides it, later nodes borrow it, and it is returned when it is dropped.
///
/// A later node says how the request ended: [`replied`](Self::replied), [`failed`](Self::failed), [`timed_out`](Self::timed_out) or
/// [`cancelled`](Self::cancelled). What it took is the time until then, and not until the lease is returned. Where it is said more than once, the last counts.
///
/// Where nobody says anything, how the run ended decides:
///
/// | the run | outcome |
/// | --- | --- |
/// | is replied | [`Replied { ok: true }`](Outcome::Replied) |
/// | is cut short by a node behind the pick | [`Cancelled`](Outcome::Cancelled): it may be the caller's mistake, and no member is to be blamed for that |
/// | is cancelled | [`Cancelled`](Outcome::Cancelled), or [`TimedOut`](Outcome::TimedOut) past [`Pick::timeout`](super::Pick::timeout) |
/// | panics | [`Panicked`](Outcome::Panicked) |
///
/// A lease that stands in no chain is [`Cancelled`](Outcome::Cancelled) where nothing is said. A run that is dropped by a thread that happens to panic counts as
/// `Panicked`. Both say nothing about the member.
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
    /// What was said, in the upper byte, and how many nanoseconds after `begun`. 0 where nothing was.
    said: AtomicU64,
    /// Whether what a good reply took is known of the member already.
    is_heard: bool,
}

const OK: u64 = 1;
const NOT_OK: u64 = 2;
const FAILED: u64 = 3;
const TIMED_OUT: u64 = 4;
const CANCELLED: u64 = 5;

/// Where in the word the nanoseconds end. They are two years.
const SAID: u32 = 56;

impl<T> Lease<T> {
    pub(super) const fn new(in_flight: InFlight<T>, begun: Instant, timeout: Option<Duration>) -> Self {
        Self { in_flight, begun, timeout, said: AtomicU64::new(0), is_heard: false }
    }

    /// Whom to ask.
    #[must_use]
    pub fn endpoint(&self) -> &T {
        self.seat().endpoint()
    }

    /// The member.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        self.in_flight.seat()
    }

    /// What keeps the request in flight. A clone of it goes with a body that is still read when the lease is returned, so that a member is not drained
    /// before.
    #[must_use]
    pub const fn in_flight(&self) -> &InFlight<T> {
        &self.in_flight
    }

    /// For how long it is out.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.begun)
    }

    /// A reply came. `ok` is whether it is one of a member that is well: see [`Outcome::Replied`].
    pub fn replied(&self, ok: bool) {
        self.say(if ok { OK } else { NOT_OK });
    }

    /// A good reply has begun, and goes on. What it took is known of the member from now on, so that whoever balances by that does not wait for its end. The outcome is noted when the
    /// lease is returned; until then it can still [fail](Self::failed).
    pub fn streams(&mut self) {
        self.replied(true);
        let now = now();
        let (outcome, took) = self.outcome(now);
        if !core::mem::replace(&mut self.is_heard, true) {
            self.seat().latency.observe(outcome, took, now);
        }
    }

    /// No reply came.
    pub fn failed(&self) {
        self.say(FAILED);
    }

    /// No reply came in time.
    pub fn timed_out(&self) {
        self.say(TIMED_OUT);
    }

    /// Whoever asked does not want the reply any more, or has made a mistake: nothing is known of the member.
    pub fn cancelled(&self) {
        self.say(CANCELLED);
    }

    /// The run goes back through the node that provides it.
    pub(super) fn leave(&self, cut_short: bool) {
        if self.said.load(Relaxed) == 0 {
            self.say(if cut_short { CANCELLED } else { OK });
        }
    }

    fn say(&self, what: u64) {
        let took = u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX);
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
