//! [`Snapshot`]: all members at one moment.

use core::num::NonZeroU32;
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;
use std::time::Instant;

use super::health::Health;
use super::seat::Seat;

/// All members at one moment, with their states and their weights. It never changes.
#[derive(Debug)]
pub struct Snapshot<T> {
    members: Box<[Entry<T>]>,
    counts: Counts,
    version: u64,
    is_panic: bool,
    slow_start: Duration,
}

/// A member in a snapshot.
#[derive(Debug)]
pub struct Entry<T> {
    pub(super) seat: Arc<Seat<T>>,
    pub(super) state: State,
    pub(super) weight: NonZeroU32,
    /// When it became ready again, if it ever was not.
    pub(super) back: Option<Instant>,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be asked.
    Ready,
    /// It takes no new requests, and finishes those that it has. A draining member does not change its state any more.
    Draining,
    /// Its replies were bad: it is not to be asked before `until`. After that it is ready. The registry shows this with
    /// its next change, or at that moment if a task [keeps](super::Registry::keep) it.
    Ejected {
        /// The end of the ejection.
        until: Instant,
    },
    /// Checks found that it is not well.
    Unhealthy,
}

impl State {
    /// Its name, for a list or a metric: `ready`, `draining`, `ejected`, `unhealthy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Ejected { .. } => "ejected",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// How many members are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Members that are to be asked.
    pub ready: usize,
    /// Members that finish their requests.
    pub draining: usize,
    /// Members whose replies were bad.
    pub ejected: usize,
    /// Members that are not well.
    pub unhealthy: usize,
}

impl Counts {
    /// How many members there are.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.ready + self.draining + self.ejected + self.unhealthy
    }

    /// The count of members in this state.
    pub(super) const fn of(&mut self, state: State) -> &mut usize {
        match state {
            State::Ready => &mut self.ready,
            State::Draining => &mut self.draining,
            State::Ejected { .. } => &mut self.ejected,
            State::Unhealthy => &mut self.unhealthy,
        }
    }
}

impl<T> Snapshot<T> {
    /// The members, sorted by name.
    pub(super) fn new(members: Box<[Entry<T>]>, counts: Counts, version: u64, health: Option<&Health>) -> Self {
        let is_panic = health.is_some_and(|health| health.is_panic(counts));
        let slow_start = health.map_or(Duration::ZERO, Health::whole_after);
        Self { members, counts, version, is_panic, slow_start }
    }

    /// The members, sorted by name. No name is there twice.
    #[must_use]
    pub fn members(&self) -> &[Entry<T>] {
        &self.members
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry<T>> {
        let at = self.members.binary_search_by(|entry| entry.seat.name().cmp(name)).ok()?;
        Some(&self.members[at])
    }

    /// How many members are in each state.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether so few members are ready that all are to be asked ([`Health::panic_below`]).
    #[must_use]
    pub const fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// How long it takes until a returned member has its full share.
    pub(super) const fn slow_start(&self) -> Duration {
        self.slow_start
    }

    /// A number that grows with each snapshot of a registry.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
}

impl<T> Entry<T> {
    /// The part of the member that stays from snapshot to snapshot.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Its share in relation to the weights of the others.
    #[must_use]
    pub const fn weight(&self) -> NonZeroU32 {
        self.weight
    }
}
