//! [`Seat`]: the part of a member that stays from snapshot to snapshot.

use core::fmt;
use core::time::Duration;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use super::clock::now;
use super::health::Noticed;
use super::latency::Latency;
use super::member::{Generation, Member, Registration};
use super::outcome::Outcome;
use super::totals::{Counters, Totals};
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A member as it was registered, and the state that changes with each request.
///
/// There is one seat for each generation. It is the same one in all snapshots, and outlives them as long as a request
/// to it is under way.
///
/// ```text
///            begin: in flight +1            close, by drain, remove, eviction, or the name's next registration
///              ┌───────────┐
///   registered │           ▼         close                                    the last one ends
///   ──────────►└──── open ◄┘ ────────────────► closed, n in flight ──────────────────────────────► drained
///                                              begin: None                                        begin: None
/// ```
pub struct Seat<T> {
    registration: Registration,
    endpoint: T,
    zone: Option<Arc<str>>,
    metadata: BTreeMap<String, String>,
    /// The requests in flight, and [`CLOSED`]. They are in one word, so that no request begins between the closing and
    /// the count.
    load: AtomicUsize,
    /// The expected time of a request.
    pub(super) latency: Latency,
    /// The counts of outcomes.
    pub(super) counters: Counters,
    /// What is known by how requests ended, if the registry watches that.
    noticed: Option<Box<Noticed<T>>>,
    /// Notified when the seat is closed and has nothing in flight any more.
    drained: Notify,
}

/// The bit of a load that says that no request may begin.
const CLOSED: usize = 1 << (usize::BITS - 1);

impl<T> Seat<T> {
    pub(super) fn new(member: Member<T>, generation: Generation, noticed: Option<Noticed<T>>) -> Self {
        let Member { name, endpoint, zone, weight: _, metadata } = member;
        Self {
            registration: Registration { name, generation },
            endpoint,
            zone,
            metadata,
            load: AtomicUsize::new(0),
            latency: Latency::new(now()),
            counters: Counters::default(),
            noticed: noticed.map(Box::new),
            drained: Notify::new(),
        }
    }

    /// Its name and its generation.
    #[must_use]
    pub const fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.registration.name
    }

    pub(super) const fn shared_name(&self) -> &Arc<str> {
        &self.registration.name
    }

    /// The number of its registration.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.registration.generation
    }

    /// What requests use.
    #[must_use]
    pub const fn endpoint(&self) -> &T {
        &self.endpoint
    }

    /// Its zone.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Other facts about it.
    #[must_use]
    pub const fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    pub(super) fn noticed(&self) -> Option<&Noticed<T>> {
        self.noticed.as_deref()
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.load.load(Relaxed) & !CLOSED
    }

    /// Whether requests may begin. It may be closed a moment later.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.load.load(Relaxed) & CLOSED == 0
    }

    /// Begins a request. `None` if the seat is closed: it was drained, removed or evicted, or its name was registered
    /// anew, and the seat was found in an old snapshot. Then look at the current snapshot.
    ///
    /// It never waits, and allocates nothing.
    #[must_use = "the request is in flight until this is dropped"]
    pub fn begin(self: &Arc<Self>) -> Option<InFlight<T>> {
        if self.load.fetch_add(1, Relaxed) & CLOSED != 0 {
            self.leave();
            return None;
        }
        Some(InFlight { seat: Arc::clone(self) })
    }

    /// Closes the seat for new requests.
    pub(super) fn close(&self) {
        if self.load.fetch_or(CLOSED, Relaxed) == 0 {
            self.drained.notify_waiters();
        }
    }

    /// Whether nothing is in flight, and nothing can be any more.
    pub(super) fn is_drained(&self) -> bool {
        // Code that sees that the requests are gone also sees what they did before they ended: each leaves by a
        // `Release`, and all other changes of the word are read-modify-writes, which pass that on.
        self.load.load(Acquire) == CLOSED
    }

    pub(super) async fn drained(&self) {
        loop {
            let mut told = core::pin::pin!(self.drained.notified());
            told.as_mut().enable();
            if self.is_drained() {
                return;
            }
            told.await;
        }
    }

    fn leave(&self) {
        if self.load.fetch_sub(1, Release) == CLOSED | 1 {
            self.drained.notify_waiters();
        }
    }

    /// Whether it is the same member, as far as a seat knows: everything but the weight.
    pub(super) fn is_same(&self, member: &Member<T>) -> bool
    where
        T: PartialEq,
    {
        self.endpoint == member.endpoint && self.zone == member.zone && self.metadata == member.metadata
    }
}

/// How its requests end.
impl<T> Seat<T> {
    /// Notes how a request ended that was under way to this member for as long as `took`.
    ///
    /// Call it once for each request, after its end. It allocates nothing and does not wait, unless the member is to be
    /// [ejected](super::Health) for this outcome: then it takes the registry's lock. So do not call it while that is
    /// held ([`change_state`](super::Registry::change_state)).
    pub fn note(&self, outcome: Outcome, took: Duration) {
        self.note_at(outcome, took, now());
    }

    /// Notes it, at a time that is known already.
    pub(super) fn note_at(&self, outcome: Outcome, took: Duration, now: Instant) {
        self.latency.observe(outcome, took, now);
        self.count_at(outcome, took, now);
    }

    /// Notes it without its time, which was noted already.
    pub(super) fn count_at(&self, outcome: Outcome, took: Duration, now: Instant) {
        self.counters.count(outcome);
        if let Some(noticed) = self.noticed() {
            noticed.note(self.registration(), outcome, took, now);
        }
    }

    /// How all requests ended so far that were [noted](Self::note), as a [`Lease`](super::Lease) does. Each number is
    /// read by itself.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.counters.totals()
    }

    /// How often it was ejected.
    #[must_use]
    pub fn ejections(&self) -> u64 {
        self.counters.ejections()
    }

    /// The expected time of a request by what is known now, as [`PeakEwma`](super::PeakEwma) uses it: the decaying peak
    /// of the latencies so far, with failures counted in. `None` if nothing is known, or not any more.
    #[must_use]
    pub fn expected(&self) -> Option<Duration> {
        self.latency.shown(self.in_flight() > 0, now())
    }
}

impl<T: fmt::Debug> fmt::Debug for Seat<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("registration", &self.registration)
            .field("endpoint", &self.endpoint)
            .field("zone", &self.zone)
            .field("metadata", &self.metadata)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// A request in flight. It ends when this and all of its clones are dropped.
#[derive(Debug)]
pub struct InFlight<T> {
    seat: Arc<Seat<T>>,
}

impl<T> InFlight<T> {
    /// The member to which it is under way.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }
}

/// Counts one more in flight, even if the seat is closed: it is a part of a request that had begun.
impl<T> Clone for InFlight<T> {
    fn clone(&self) -> Self {
        self.seat.load.fetch_add(1, Relaxed);
        Self { seat: Arc::clone(&self.seat) }
    }
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        self.seat.leave();
    }
}
