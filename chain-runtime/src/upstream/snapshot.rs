//! [`Snapshot`]: all members at one moment.

use core::num::NonZeroU32;
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;
use std::time::Instant;

use super::health::Health;
use super::seat::Seat;

/// All members as they were at one moment: who, how well, and with which weight. It never changes.
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
    /// When it was ready again, if it ever was not.
    pub(super) back: Option<Instant>,
}

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be asked.
    Ready,
    /// It takes nothing new, and finishes what it has. No state comes after it.
    Draining,
    /// Its replies were bad: it is not to be asked before `until`. From then on it is ready, which the registry says with its next change, or at that moment if
    /// somebody [keeps](super::Registry::keep) it.
    Ejected {
        /// Until then.
        until: Instant,
    },
    /// It was asked how it is, and is not well.
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

/// How many members are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Those that are to be asked.
    pub ready: usize,
    /// Those that finish what they have.
    pub draining: usize,
    /// Those whose replies were bad.
    pub ejected: usize,
    /// Those that are not well.
    pub unhealthy: usize,
}

impl Counts {
    /// How many there are.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.ready + self.draining + self.ejected + self.unhealthy
    }

    /// The count of those in this state.
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

    /// How many are in which state.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether so few are ready that all are to be asked ([`Health::panic_below`]).
    #[must_use]
    pub const fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// How long it takes until a member that is back has its full share.
    pub(super) const fn slow_start(&self) -> Duration {
        self.slow_start
    }

    /// A number that grows from each snapshot of a registry to the next.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
}

impl<T> Entry<T> {
    /// What stays with it from snapshot to snapshot.
    #[must_use]
    pub const fn seat(&self) -> &Arc<Seat<T>> {
        &self.seat
    }

    /// How it is.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Its share, beside the weights of the others.
    #[must_use]
    pub const fn weight(&self) -> NonZeroU32 {
        self.weight
    }
}
