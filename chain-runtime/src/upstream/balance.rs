//! [`Balance`]: chooses the next member.

mod choice;
mod draw;
mod part;
mod ring;
mod round_robin;
mod subset;
mod zoned;

use core::num::NonZeroU32;
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;
use std::time::Instant;

pub use choice::{LeastRequests, PeakEwma};
pub use ring::Ring;
pub use round_robin::RoundRobin;
pub use subset::Subset;
pub use zoned::Zoned;

use super::pick::Tried;
use super::seat::Seat;
use super::snapshot::{Entry, Snapshot, State};

/// Chooses the next member. [`Pick`](super::Pick) calls it.
///
/// |  | chooses by | members that a pick looks at |
/// | --- | --- | --- |
/// | [`PeakEwma`] | expected latency and requests in flight | two members |
/// | [`LeastRequests`] | requests in flight | all members |
/// | [`RoundRobin`] | weights only | one member |
/// | [`Ring`] | a key, unless its member has too much in flight | one member, mostly |
/// | [`Zoned`] | the zone of a member, and one of the above | those of that one |
/// | [`Subset`] | this machine's part of the members, and one of the above | those of that one |
///
/// What it needs of the members is derived once for each snapshot, by [`table`](Self::table). [`pick`](Self::pick) then
/// takes no lock and allocates nothing.
///
/// ```
/// use chain_runtime::upstream::{Ask, Balance, Candidate};
///
/// /// Picks the first one by name that is open and was not tried: one member leads, and the others stand by.
/// struct First;
///
/// impl<T> Balance<T> for First {
///     type Table = ();
///
///     fn table(&self, _: &[Candidate<T>]) {}
///
///     fn pick<'a>(&self, candidates: &'a [Candidate<T>], (): &'a (), ask: &Ask<'_>) -> &'a Candidate<T> {
///         candidates.iter().find(|candidate| ask.takes(candidate)).unwrap_or(&candidates[0])
///     }
/// }
/// ```
pub trait Balance<T> {
    /// What is derived from the members.
    type Table;

    /// Derives it. It is called once for each snapshot in which a member is picked, and again when members of the
    /// snapshot have returned and their weights grow.
    fn table(&self, candidates: &[Candidate<T>]) -> Self::Table;

    /// Picks one. There is at least one candidate, and `table` was derived from exactly these. A candidate that is not
    /// [open](Candidate::is_open) takes no request: if it is picked all the same, the pick is repeated. If it picks a
    /// member that was [tried](Ask::tried), any other one is taken instead. Only if there is none, it is asked once
    /// more as if no member had been tried. So a balancer may pass over tried members in its own way, but need not.
    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Self::Table, ask: &Ask<'_>) -> &'a Candidate<T>;
}

/// What is known of the request for which a member is picked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'t> {
    pub(super) now: Instant,
    pub(super) key: Option<u64>,
    pub(super) tried: Option<&'t Tried>,
}

impl Ask<'_> {
    /// The present time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The hash of its key, if it has one.
    #[must_use]
    pub const fn key(&self) -> Option<u64> {
        self.key
    }

    /// Whether the request was sent to this member already: see [`Tried`].
    #[must_use]
    pub fn tried<T>(&self, seat: &Seat<T>) -> bool {
        self.tried.is_some_and(|tried| tried.contains(seat.generation()))
    }

    /// Whether this member is open and was not tried.
    #[must_use]
    pub fn takes<T>(&self, candidate: &Candidate<T>) -> bool {
        candidate.is_open() && !self.tried(candidate.seat())
    }

    /// Any member that is open and was not tried.
    pub(super) fn any<'a, T>(&self, candidates: &'a [Candidate<T>]) -> Option<&'a Candidate<T>> {
        let (before, behind) = candidates.split_at(fastrand::usize(..=candidates.len()));
        behind.iter().chain(before).find(|candidate| self.takes(candidate))
    }
}

/// A member that may be picked.
#[derive(Debug)]
pub struct Candidate<T> {
    seat: Arc<Seat<T>>,
    whole: NonZeroU32,
    weight: f64,
}

/// The members of a snapshot that may be picked, sorted by name, and how long this holds.
#[derive(Debug)]
pub(super) struct Candidates<T> {
    pub(super) all: Box<[Candidate<T>]>,
    /// From then on the same snapshot has other candidates, or other weights.
    pub(super) until: Option<Instant>,
}

/// How many times the weight of a returned member changes until it is the whole one.
const STEPS: u32 = 16;

/// The weight changes no more often than this.
const STEP: Duration = Duration::from_millis(10);

impl<T> Candidates<T> {
    pub(super) fn of(snapshot: &Snapshot<T>, now: Instant) -> Self {
        let mut until: Option<Instant> = None;
        let mut changes_at = |at: Instant| until = Some(until.map_or(at, |until| until.min(at)));
        let candidate = |entry: &Entry<T>| {
            let share = snapshot.share(entry, now);
            if 0.0 < share && share < 1.0 {
                changes_at(now + (snapshot.slow_start() / STEPS).max(STEP));
            }
            if let State::Ejected { until } = entry.state()
                && until > now
            {
                changes_at(until);
            }
            let (whole, weight) = (entry.weight(), f64::from(entry.weight().get()) * f64::from(share));
            (weight > 0.0).then(|| Candidate { seat: Arc::clone(entry.seat()), whole, weight })
        };
        let all = snapshot.members().iter().filter_map(candidate).collect();
        Self { all, until }
    }
}

impl<T> Candidate<T> {
    /// The part of the member that stays from snapshot to snapshot.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }

    /// Its share in relation to the weights of the others. It is less than the registered weight if the member has just
    /// returned ([`Health::slow_start`](super::Health::slow_start)). It is more than 0.
    #[must_use]
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// The weight that it was registered with.
    #[must_use]
    pub const fn whole_weight(&self) -> NonZeroU32 {
        self.whole
    }

    /// The same candidate, with only this part of its weight.
    fn in_part(&self, part: f64) -> Self {
        Self { weight: self.weight * part, ..self.clone() }
    }

    /// Whether it still takes requests, whatever the snapshot says.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.seat.is_open()
    }

    /// Its requests in flight, divided by its weight.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.seat.in_flight() as f64 / self.weight
    }
}

impl<T> Clone for Candidate<T> {
    fn clone(&self) -> Self {
        Self { seat: Arc::clone(&self.seat), ..*self }
    }
}
