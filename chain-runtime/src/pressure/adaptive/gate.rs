//! One limit: the requests that are in, what they took, and those that were turned away.

use core::array;
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::{future::Future, pin::Pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::limit::Limit;
use super::own::{self, Told, Verdict};
use super::priority::{By, Priority};
use super::room::{Asked, Patience, Room};
use super::status::AdaptiveStatus;
use super::turned_away::{Reason, TurnedAway};
use super::window::Window;
use crate::around::{Deadline, Timer};
use crate::shed::{Level, LevelCell};

/// The common base of all forms of an `Adaptive`.
pub(super) struct Gate<L, T> {
    pub(super) room: Room,
    pub(super) window: Mutex<Window<L>>,
    pub(super) timer: T,
    pub(super) patience: Patience,
    pub(super) places: usize,
    /// The time after which a block counts as lost.
    pub(super) timeout: Option<Duration>,
    pub(super) level: Option<Arc<LevelCell>>,
    turned_away: [[AtomicU64; 3]; 5],
}

impl<L: Limit, T: Timer> Gate<L, T> {
    pub(super) fn new(limit: L, timer: T) -> Self {
        let patience = Patience { calm: Duration::from_millis(100), target: Duration::from_millis(5) };
        let places = 128;
        Self {
            room: Room::new(limit.limit(), places, patience),
            window: Mutex::new(Window::new(limit)),
            timer,
            patience,
            places,
            timeout: None,
            level: None,
            turned_away: array::from_fn(|_| array::from_fn(|_| AtomicU64::new(0))),
        }
    }

    /// Makes the room anew, after its settings have changed.
    pub(super) fn remade(mut self) -> Self {
        let limit = self.window.get_mut().unwrap_or_else(PoisonError::into_inner).limit.limit();
        self.room = Room::new(limit, self.places, self.patience);
        self
    }

    #[inline]
    fn level(&self) -> Level {
        self.level.as_ref().map_or(Level::Calm, |level| level.get())
    }

    /// Lets a request in if there is room.
    #[inline]
    pub(super) fn try_enter(&self, by: By) -> Result<Option<Permit<'_, L, T>>, TurnedAway> {
        let level = self.level();
        if level == Level::Critical && by.priority == Priority::Sheddable {
            return Err(self.turn_away(by, Reason::Level));
        }
        Ok(self.room.try_enter(level).map(|in_flight| self.permit(in_flight)))
    }

    /// Waits until there is room.
    pub(super) async fn enter(&self, by: By) -> Result<Permit<'_, L, T>, TurnedAway> {
        let level = self.level();
        let now = self.timer.now();
        // The level may have fallen since the last request was let in: those that wait go first.
        if self.room.has_room(level) {
            self.room.let_in(level, now);
        }
        let (slot, time) = match self.room.ask(by, level, now) {
            Asked::In(in_flight) => return Ok(self.permit(in_flight)),
            Asked::Away(reason) => return Err(self.turn_away(by, reason)),
            Asked::Waits(slot, time) => (slot, time),
        };
        let mut waiting = Waiting { gate: self, slot: Some(slot) };
        let waited = match now.checked_add(time) {
            Some(at) => Deadline::until_on(&self.timer, at).around(Pin::new(&mut waiting)).await,
            None => Ok((&mut waiting).await),
        };
        match waited.unwrap_or_else(|_| waiting.looks_once_more()) {
            Ok(in_flight) => Ok(self.permit(in_flight)),
            Err(reason) => Err(self.turn_away(by, reason)),
        }
    }

    #[inline]
    fn permit(&self, in_flight: usize) -> Permit<'_, L, T> {
        let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
        Permit { gate: self, began: self.timer.now(), in_flight, told: Told::default(), ended: false, kept: false }
    }

    #[cold]
    fn turn_away(&self, by: By, reason: Reason) -> TurnedAway {
        // For the limit around this one, this is not a meaningful reply.
        own::tell(Verdict::Ignored);
        self.turned_away[reason as usize][by.priority as usize].fetch_add(1, Relaxed);
        let busy = match reason {
            Reason::Level => Duration::ZERO,
            _ => self.room.busy_for(self.timer.now()),
        };
        TurnedAway::new(reason, by.priority, busy)
    }

    /// Gives a permit back.
    #[inline]
    pub(super) fn leave(&self) {
        if self.room.leave() {
            self.room.let_in(self.level(), self.timer.now());
        }
    }

    /// A block ended; `round_trip` is `None` if it was lost.
    fn note(&self, now: Instant, round_trip: Option<Duration>, in_flight: usize) {
        // If another time is being noted at this moment, this one is left out: a mean is not worth a wait.
        let mut window = match self.window.try_lock() {
            Ok(window) => window,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return,
        };
        // This is set under the lock, so that the last update of the limit is also the last one to be set.
        let waits = window.add(now, round_trip, in_flight).is_some_and(|limit| self.room.set_limit(limit));
        drop(window);
        if waits {
            self.room.let_in(self.level(), now);
        }
    }

    pub(super) fn status(&self) -> AdaptiveStatus {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (limit, baseline) = (window.limit.limit(), window.limit.baseline());
        let round_trip = window.round_trip;
        drop(window);
        let waiting = self.room.waiting();
        AdaptiveStatus {
            limit,
            in_flight: self.room.in_flight(),
            waiting,
            places: self.places,
            busy_for: self.room.busy_for(self.timer.now()),
            round_trip,
            baseline,
            level: self.level(),
            turned_away: array::from_fn(|reason| {
                array::from_fn(|priority| self.turned_away[reason][priority].load(Relaxed))
            }),
        }
    }
}

impl<L, T> fmt::Debug for Gate<L, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("in_flight", &self.room.in_flight()).finish_non_exhaustive()
    }
}

/// A place inside, which is given back when this is dropped.
pub(super) struct Permit<'a, L: Limit, T: Timer> {
    gate: &'a Gate<L, T>,
    began: Instant,
    /// A room has at most half as many places as this can count.
    in_flight: u32,
    told: Told,
    /// The block replied.
    ended: bool,
    /// Something else keeps the place, and gives it back.
    kept: bool,
}

impl<L: Limit, T: Timer> Permit<'_, L, T> {
    /// Polls the block.
    pub(super) async fn run<B: Future>(&mut self, block: Pin<&mut B>) -> B::Output {
        let output = own::watched(block, &mut self.told).await;
        self.ended = true;
        output
    }

    /// The place is not given back here.
    #[cfg(feature = "http-body")]
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    /// What is noted of the block: nothing, its time, or that it was lost.
    fn outcome(&self, now: Instant) -> Option<Option<Duration>> {
        let all = now.saturating_duration_since(self.began);
        let waits = self.told.since.filter(|_| !self.ended).map(|since| now.saturating_duration_since(since));
        let elsewhere = self.told.elsewhere().saturating_add(waits.unwrap_or_default());
        let own = all.saturating_sub(elsewhere);
        let is_late = self.gate.timeout.is_some_and(|timeout| own >= timeout);
        // A time-out counts against the side that took most of the time.
        let is_own = elsewhere <= all / 2;
        if !self.ended {
            // A block that was abandoned is no sample, unless the time was the reason.
            let timed_out = self.told.deadline.is_some_and(|at| at <= now) && is_own;
            return ((is_late || timed_out) && !thread::panicking()).then_some(None);
        }
        match self.told.verdict {
            None | Some(Verdict::Replied) => Some((!is_late).then_some(own)),
            Some(Verdict::Lost) => Some(None),
            Some(Verdict::Ignored) => None,
            Some(Verdict::TimedOut) => is_own.then_some(None),
        }
    }
}

impl<L: Limit, T: Timer> Drop for Permit<'_, L, T> {
    fn drop(&mut self) {
        let now = self.gate.timer.now();
        if !self.kept {
            self.gate.leave();
        }
        if let Some(round_trip) = self.outcome(now) {
            self.gate.note(now, round_trip, self.in_flight as usize);
        }
    }
}

/// Waits in a slot. When it is dropped, it gives up what it has: its place, or the permit that it was just given.
struct Waiting<'a, L: Limit, T: Timer> {
    gate: &'a Gate<L, T>,
    /// `None` when it is over.
    slot: Option<u32>,
}

impl<L: Limit, T: Timer> Future for Waiting<'_, L, T> {
    type Output = Result<usize, Reason>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let slot = self.slot.expect("not polled once it is over");
        let polled = self.gate.room.poll(slot, context.waker());
        if polled.is_ready() {
            self.slot = None;
        }
        polled
    }
}

impl<L: Limit, T: Timer> Waiting<'_, L, T> {
    /// Looks once more at the end of the request's patience. The level may have fallen since the last request left, and
    /// then there is room that nobody told the waiting requests of.
    fn looks_once_more(&mut self) -> Result<usize, Reason> {
        let gate = self.gate;
        let level = gate.level();
        if gate.room.has_room(level) {
            gate.room.let_in(level, gate.timer.now());
        }
        match Pin::new(self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(Reason::Late),
        }
    }
}

impl<L: Limit, T: Timer> Drop for Waiting<'_, L, T> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot
            && self.gate.room.give_up(slot, self.gate.timer.now())
        {
            self.gate.leave();
        }
    }
}
