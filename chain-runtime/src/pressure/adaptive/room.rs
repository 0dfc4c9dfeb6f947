//! The requests that are in, and those that wait outside.

#[cfg(all(test, chain_loom))]
mod interleavings;

use core::task::{Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::overload::Overload;
use super::priority::{By, Priority};
use super::queue::{Left, Order, Queue};
use super::turned_away::Reason;
use crate::shed::Level;
use crate::sync::Mutex;
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The word and the queue.
///
/// One word holds everything that is needed to let a request in:
///
/// ```text
///  63 .. 32   31          30 .. 0
///  limit      somebody    in flight
///             waits
/// ```
///
/// - A request is let in by a compare-and-swap of the word, if no request waits and the limit is not reached. If there
///   is room, that is all.
/// - The bit "some request waits" is set and cleared only under the queue's lock, and says whether the queue has a
///   waiting request. While it is set, requests are let in only from the queue.
/// - A request that leaves subtracts one. If the word then says that some request waits, the leaving one looks after
///   the queue. A request that begins to wait sets the bit by a compare-and-swap on a word that shows no room. So
///   either that request saw the place that became free, or the leaving one sees the bit: no wake is lost.
#[derive(Debug)]
pub(super) struct Room {
    word: AtomicU64,
    queue: Mutex<Waiters>,
    patience: Patience,
}

#[derive(Debug)]
struct Waiters {
    queue: Queue,
    overload: Overload,
}

/// How long a request may wait: CoDel, as in Facebook's thrift servers ("Fail at Scale", 2015).
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without [`Overload`].
    pub(super) calm: Duration,
    /// Under overload.
    pub(super) target: Duration,
}

const WAITS: u64 = 1 << 31;
const IN_FLIGHT: u64 = WAITS - 1;
const LIMIT: u32 = 32;

const fn in_flight(word: u64) -> usize {
    (word & IN_FLIGHT) as usize
}

/// How many requests may be in at this level.
fn allowed(word: u64, level: Level) -> usize {
    let limit = (word >> LIMIT) as usize;
    match level {
        Level::Calm | Level::Elevated => limit,
        Level::High => (limit - limit / 4).max(limit.min(1)),
        Level::Critical => limit.div_ceil(2),
    }
}

fn packed(limit: usize) -> u64 {
    (limit as u64).min(IN_FLIGHT) << LIMIT
}

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Asked {
    /// It is in, as one of so many.
    In(usize),
    /// It waits in this slot, at most for so long.
    Waits(u32, Duration),
    /// It is turned away.
    Away(Reason),
}

impl Room {
    pub(super) fn new(limit: usize, at_most: usize, patience: Patience) -> Self {
        Self {
            word: AtomicU64::new(packed(limit)),
            queue: Mutex::new(Waiters { queue: Queue::new(at_most), overload: Overload::new(patience.calm) }),
            patience,
        }
    }

    fn lock(&self) -> impl core::ops::DerefMut<Target = Waiters> + '_ {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request in, if none waits and there is room.
    #[inline]
    pub(super) fn try_enter(&self, level: Level) -> Option<usize> {
        let mut word = self.word.load(Relaxed);
        loop {
            if word & WAITS != 0 || in_flight(word) >= allowed(word, level) {
                return None;
            }
            // Acquire pairs with the release in `leave`: a request that is in sees what earlier ones did while they
            // were in.
            match self.word.compare_exchange_weak(word, word + 1, Acquire, Relaxed) {
                Ok(_) => return Some(in_flight(word) + 1),
                Err(now) => word = now,
            }
        }
    }

    /// Lets a request in, makes it wait, or turns it away.
    #[cold]
    pub(super) fn ask(&self, by: By, level: Level, now: Instant) -> Asked {
        let mut guard = self.lock();
        let waiters = &mut *guard;
        let orders = waiters.overload.orders(now);
        if waiters.queue.waiting() == 0
            && let Some(in_flight) = self.try_enter(level)
        {
            return Asked::In(in_flight);
        }
        let may_wait = match level {
            Level::Calm | Level::Elevated => true,
            Level::High => by.priority < Priority::Sheddable,
            Level::Critical => by.priority < Priority::Default,
        };
        if !may_wait {
            return Asked::Away(Reason::Level);
        }
        let displaced = match waiters.queue.make_room(by, orders) {
            Ok(displaced) => displaced,
            Err(reason) => return Asked::Away(reason),
        };
        // The request that had to go for this one may have been the only one: then there may be room now.
        if waiters.queue.waiting() == 0
            && let Some(in_flight) = self.enter_or_announce(level)
        {
            waiters.note_gone(now);
            drop(guard);
            wake(displaced);
            return Asked::In(in_flight);
        }
        let slot = waiters.queue.push(by);
        let lane = by.priority as usize;
        waiters.overload.waits(lane, now);
        // Another request may have had to go for this one.
        waiters.note_gone(now);
        let is_over = waiters.overload.orders(now)[lane] == Order::Lifo;
        drop(guard);
        wake(displaced);
        Asked::Waits(slot, if is_over { self.patience.target } else { self.patience.calm })
    }

    /// Lets a request in, or announces that some request waits. It is called under the lock, when no request waits.
    fn enter_or_announce(&self, level: Level) -> Option<usize> {
        let mut word = self.word.load(Relaxed);
        loop {
            let has_room = in_flight(word) < allowed(word, level);
            let next = if has_room { (word & !WAITS) + 1 } else { word | WAITS };
            match self.word.compare_exchange_weak(word, next, Acquire, Relaxed) {
                Ok(_) => return has_room.then(|| in_flight(word) + 1),
                Err(now) => word = now,
            }
        }
    }

    /// Whether one more request could be in.
    pub(super) fn has_room(&self, level: Level) -> bool {
        let word = self.word.load(Relaxed);
        in_flight(word) < allowed(word, level)
    }

    /// A request leaves. Returns whether some request waits, which then has to be [let in](Self::let_in).
    #[inline]
    #[must_use]
    pub(super) fn leave(&self) -> bool {
        self.word.fetch_sub(1, Release) & WAITS != 0
    }

    /// Lets in as many waiting requests as there is room for.
    #[cold]
    pub(super) fn let_in(&self, level: Level, now: Instant) {
        loop {
            let mut guard = self.lock();
            let waiters = &mut *guard;
            if waiters.queue.waiting() == 0 {
                return;
            }
            let enters = self
                .word
                .fetch_update(Acquire, Relaxed, |word| (in_flight(word) < allowed(word, level)).then_some(word + 1));
            let Ok(word) = enters else { return };
            let orders = waiters.overload.orders(now);
            let waker = waiters.queue.grant(orders, in_flight(word) + 1).flatten();
            self.note_emptied(waiters, now);
            // The lock is not held while a waker runs, which is code of others.
            drop(guard);
            wake(waker);
        }
    }

    /// What happened to the request in the slot. If its wait is over, the slot is free again.
    pub(super) fn poll(&self, slot: u32, waker: &Waker) -> Poll<Result<usize, Reason>> {
        let (poll, old) = self.lock().queue.poll(slot, waker);
        drop(old);
        poll
    }

    /// The request in the slot goes. Returns whether it had a permit, which then has to be [given back](Self::leave).
    #[must_use]
    pub(super) fn give_up(&self, slot: u32, now: Instant) -> bool {
        let mut guard = self.lock();
        let (left, waker) = guard.queue.leave(slot);
        self.note_emptied(&mut guard, now);
        drop(guard);
        drop(waker);
        left == Left::Granted
    }

    /// From now on so many requests may be in. Returns whether some request waits.
    #[must_use]
    pub(super) fn set_limit(&self, limit: usize) -> bool {
        let set = |word: u64| Some(packed(limit) | word & u64::from(u32::MAX));
        let (Ok(word) | Err(word)) = self.word.fetch_update(Relaxed, Relaxed, set);
        word & WAITS != 0
    }

    pub(super) fn in_flight(&self) -> usize {
        in_flight(self.word.load(Relaxed))
    }

    pub(super) fn waiting(&self) -> [usize; 3] {
        let waiters = self.lock();
        Priority::ALL.map(|priority| waiters.queue.waiting_as(priority))
    }

    /// For how long some request was always waiting.
    pub(super) fn busy_for(&self, now: Instant) -> Duration {
        self.lock().overload.busy_for(now)
    }

    fn note_emptied(&self, waiters: &mut Waiters, now: Instant) {
        waiters.note_gone(now);
        if waiters.queue.waiting() == 0 {
            self.word.fetch_and(!WAITS, Relaxed);
        }
    }
}

/// The waker is code of others, and the next request has to be let in whatever it does. This is also called when
/// permits are dropped: a second panic there would end the process.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        // The panic hook has reported the panic.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl Waiters {
    /// A request no longer waits.
    fn note_gone(&mut self, now: Instant) {
        for priority in Priority::ALL {
            if self.queue.waiting_as(priority) > 0 {
                return;
            }
            self.overload.is_empty(priority as usize, now);
        }
    }
}
