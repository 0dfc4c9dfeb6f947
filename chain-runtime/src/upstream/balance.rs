//! [`Balance`]: whose turn it is.

mod choice;
mod draw;
mod ring;
mod round_robin;
mod zoned;

use core::num::NonZeroU32;
use std::boxed::Box;
use std::sync::Arc;
use std::time::Instant;

pub use choice::{LeastRequests, PeakEwma};
pub use ring::Ring;
pub use round_robin::RoundRobin;
pub use zoned::Zoned;

use super::seat::Seat;
use super::snapshot::{Snapshot, State};

/// Says whose turn it is. [`Pick`](super::Pick) asks it.
///
/// | | by | a pick looks at |
/// | --- | --- | --- |
/// | [`PeakEwma`] | expected latency and requests in flight | two members |
/// | [`LeastRequests`] | requests in flight | all members |
/// | [`RoundRobin`] | weights alone | one member |
/// | [`Ring`] | a key, unless its member has too much in flight | one member, mostly |
/// | [`Zoned`] | where a member stands, and one of the above | what that one looks at |
///
/// What it needs of the members is derived once a snapshot, by [`table`](Self::table). [`pick`](Self::pick) then takes no lock and allocates nothing.
///
/// ```
/// use chain_runtime::upstream::{Ask, Balance, Candidate};
///
/// /// The first one by name that is open, as where one member leads and the others stand by.
/// struct First;
///
/// impl<T> Balance<T> for First {
///     type Table = ();
///
///     fn table(&self, _: &[Candidate<T>]) {}
///
///     fn pick<'a>(&self, candidates: &'a [Candidate<T>], (): &'a (), _: &Ask) -> &'a Candidate<T> {
///         candidates.iter().find(|candidate| candidate.is_open()).unwrap_or(&candidates[0])
///     }
/// }
/// ```
pub trait Balance<T> {
    /// What is derived of the members.
    type Table;

    /// Derives it. Called once for each snapshot in which somebody picks.
    fn table(&self, candidates: &[Candidate<T>]) -> Self::Table;

    /// Picks one. There is one candidate at least, and `table` was derived of just these. A candidate that is not [open](Candidate::is_open) takes nothing: where one is picked
    /// all the same, the pick is repeated.
    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Self::Table, ask: &Ask) -> &'a Candidate<T>;
}

/// What is known of the request for which somebody picks.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub(super) now: Instant,
    pub(super) key: Option<u64>,
}

impl Ask {
    /// Now.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The hash of its key, if it has one.
    #[must_use]
    pub const fn key(&self) -> Option<u64> {
        self.key
    }
}

/// A member that may be picked.
#[derive(Debug)]
pub struct Candidate<T> {
    seat: Arc<Seat<T>>,
    weight: NonZeroU32,
}

impl<T> Candidate<T> {
    /// Those of a snapshot, sorted by name.
    pub(super) fn all(snapshot: &Snapshot<T>) -> Box<[Self]> {
        let ready = snapshot.members().iter().filter(|entry| entry.state() == State::Ready);
        ready.map(|entry| Self { seat: Arc::clone(entry.seat()), weight: entry.weight() }).collect()
    }

    /// What stays with it from snapshot to snapshot.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }

    /// Its share, beside the weights of the others.
    #[must_use]
    pub const fn weight(&self) -> NonZeroU32 {
        self.weight
    }

    /// Whether it still takes requests, whatever the snapshot says.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.seat.is_open()
    }

    /// Its requests in flight for each unit of its weight.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.seat.in_flight() as f64 / f64::from(self.weight.get())
    }
}

impl<T> Clone for Candidate<T> {
    fn clone(&self) -> Self {
        Self { seat: Arc::clone(&self.seat), weight: self.weight }
    }
}
