//! [`Seat`]: what stays with a member from snapshot to snapshot.

use core::fmt;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;

use tokio::sync::Notify;

use super::health::Noticed;
use super::latency::Latency;
use super::member::{Generation, Member, Registration};
use super::registry::now;
use super::totals::Counters;
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A member as it was registered, and what moves with each request.
///
/// There is one for each generation. It is the same in all snapshots, and outlives them as long as somebody is under way to it.
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
    /// Requests in flight, and [`CLOSED`]. They are one word, so that nothing begins between the closing and the count.
    load: AtomicUsize,
    /// What a request is expected to take.
    pub(super) latency: Latency,
    /// How requests ended.
    pub(super) counters: Counters,
    /// What is noticed of how requests end, where the registry cares.
    noticed: Option<Box<Noticed<T>>>,
    /// Tells of what is closed and has nothing in flight any more.
    drained: Notify,
}

/// The bit of a load that says that nothing may begin.
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

    /// Who it is, by which registration.
    #[must_use]
    pub const fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Who it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.registration.name
    }

    pub(super) const fn shared_name(&self) -> &Arc<str> {
        &self.registration.name
    }

    /// By which registration.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.registration.generation
    }

    /// What is asked.
    #[must_use]
    pub const fn endpoint(&self) -> &T {
        &self.endpoint
    }

    /// Where it stands.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// What else is known of it.
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

    /// Begins a request. `None` where the seat is closed: it was drained, removed or evicted, or its name was registered anew, and the snapshot in
    /// which it was found is an old one. Then look into the snapshot that is current.
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

    /// Lets nothing begin any more.
    pub(super) fn close(&self) {
        if self.load.fetch_or(CLOSED, Relaxed) == 0 {
            self.drained.notify_waiters();
        }
    }

    /// Whether nothing is in flight, and nothing will be.
    pub(super) fn is_drained(&self) -> bool {
        // What requests did before they ended is seen by whoever sees them gone: each leaves by a `Release`, and all other changes
        // of the word are read-modify-writes, which pass it on.
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

    /// Whether it is the same member, as far as a seat knows: all but the weight.
    pub(super) fn is_same(&self, member: &Member<T>) -> bool
    where
        T: PartialEq,
    {
        self.endpoint == member.endpoint && self.zone == member.zone && self.metadata == member.metadata
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

/// A request in flight. It ends when this is dropped, and what was cloned of it.
#[derive(Debug)]
pub struct InFlight<T> {
    seat: Arc<Seat<T>>,
}

impl<T> InFlight<T> {
    /// To whom it is under way.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }
}

/// One more in flight, also where the seat is closed: it is a part of what had begun.
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
