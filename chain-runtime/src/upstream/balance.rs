//! [`Balance`]: whose turn it is.

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

/// Says whose turn it is. [`Pick`](super::Pick) asks it.
///
/// | | by | a pick looks at |
/// | --- | --- | --- |
/// | [`PeakEwma`] | expected latency and requests in flight | two members |
/// | [`LeastRequests`] | requests in flight | all members |
/// | [`RoundRobin`] | weights alone | one member |
/// | [`Ring`] | a key, unless its member has too much in flight | one member, mostly |
/// | [`Zoned`] | where a member stands, and one of the above | what that one looks at |
/// | [`Subset`] | which part of them is this machine's, and one of the above | what that one looks at |
///
/// What it needs of the members is derived once a snapshot, by [`table`](Self::table). [`pick`](Self::pick) then takes no lock and allocates nothing.
///
/// ```
/// use chain_runtime::upstream::{Ask, Balance, Candidate};
///
/// /// The first one by name that is open and was not tried, as where one member leads and the others stand by.
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
    /// What is derived of the members.
    type Table;

    /// Derives it. Called once for each snapshot in which somebody picks, and anew where members of it have returned and their weights grow.
    fn table(&self, candidates: &[Candidate<T>]) -> Self::Table;

    /// Picks one. There is one candidate at least, and `table` was derived of just these. A candidate that is not [open](Candidate::is_open) takes nothing: where one is picked
    /// all the same, the pick is repeated. Where one is picked that was [tried](Ask::tried), any other is taken instead, and only where there is none, the balancer is asked once more as if nobody
    /// was tried. So a balancer may pass over those that were tried in its own way, and need not.
    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Self::Table, ask: &Ask<'_>) -> &'a Candidate<T>;
}

/// What is known of the request for which somebody picks.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'t> {
    pub(super) now: Instant,
    pub(super) key: Option<u64>,
    pub(super) tried: Option<&'t Tried>,
}

impl Ask<'_> {
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

/// The members of a snapshot that may be picked, sorted by name, and until when.
#[derive(Debug)]
pub(super) struct Candidates<T> {
    pub(super) all: Box<[Candidate<T>]>,
    /// From then on the same snapshot has others, or other weights.
    pub(super) until: Option<Instant>,
}

/// So often do the weights change of a member that has returned, until it has its whole one.
const STEPS: u32 = 16;

/// And not more often than this.
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
    /// What stays with it from snapshot to snapshot.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }

    /// Its share, beside the weights of the others: less than it was registered with where it has just returned ([`Health::slow_start`](super::Health::slow_start)). It is more
    /// than 0.
    #[must_use]
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// The weight that it was registered with.
    #[must_use]
    pub const fn whole_weight(&self) -> NonZeroU32 {
        self.whole
    }

    /// The same, of which only this part counts.
    fn in_part(&self, part: f64) -> Self {
        Self { weight: self.weight * part, ..self.clone() }
    }

    /// Whether it still takes requests, whatever the snapshot says.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.seat.is_open()
    }

    /// Its requests in flight for each unit of its weight.
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
