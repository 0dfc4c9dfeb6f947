//! The waiting requests, and which of them is next: plain data, without a lock and without a clock.

#[cfg(all(test, not(chain_loom)))]
mod model;

use core::task::{Poll, Waker};
use std::boxed::Box;

use super::priority::{By, Priority, SHARES};
use super::turned_away::Reason;

/// The most requests that may wait. A `u32` is the number of a slot, and there are two slots for each request.
pub(super) const MOST: usize = 1 << 24;

/// No slot, or no share.
const NONE: u32 = u32::MAX;

/// A bounded number of places, in lists by index: one list for each share of each priority. All memory is there from
/// the beginning.
///
/// ```text
///  critical ─ share 7 ─ share 90 ─┐      the shares of a priority take turns
///     ▲                           │
///     └───────────────────────────┘
///  share 7:  [first] ─ [..] ─ [last]     the first is next, or under overload the last
/// ```
///
/// A slot that was granted a permit or turned away is no longer in a list. It is kept until its request has looked.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Box<[Slot]>,
    free: u32,
    at_most: usize,
    waiting: usize,
    lanes: [Lane; 3],
}

#[derive(Debug)]
struct Slot {
    state: State,
    by: By,
    before: u32,
    after: u32,
    waker: Option<Waker>,
}

/// The memory of a place, as `Adaptive::queue` states it.
const _: () = assert!(size_of::<Slot>() <= 48 && size_of::<Share>() <= 24);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Waiting,
    /// It has a permit, as one of so many requests.
    Granted(usize),
    TurnedAway(Reason),
}

#[derive(Debug)]
struct Lane {
    shares: Box<[Share]>,
    /// The share whose turn it is.
    turn: u32,
    waiting: usize,
    /// How many shares have a request that waits.
    active: usize,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    first: u32,
    last: u32,
    waiting: usize,
    before: u32,
    after: u32,
}

const EMPTY: Share = Share { first: NONE, last: NONE, waiting: 0, before: NONE, after: NONE };

/// The end of a share's list that is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The request that came first.
    Fifo,
    /// The request that came last: under overload, those that came first have waited too long already.
    Lifo,
}

/// The order of each priority.
pub(super) type Orders = [Order; 3];

/// The state of a slot when its request left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Waiting,
    Granted,
    TurnedAway,
}

impl Queue {
    pub(super) fn new(at_most: usize) -> Self {
        // A request that was granted a permit or turned away keeps its slot until it was polled: hence twice as many.
        let at_most = at_most.min(MOST);
        let slots = (0..at_most * 2).map(|at| Slot {
            state: State::Free,
            by: By::default(),
            before: NONE,
            after: if at + 1 < at_most * 2 { at as u32 + 1 } else { NONE },
            waker: None,
        });
        let lane = || Lane {
            shares: if at_most == 0 { Box::default() } else { Box::new([EMPTY; SHARES]) },
            turn: NONE,
            waiting: 0,
            active: 0,
        };
        Self {
            slots: slots.collect(),
            free: if at_most == 0 { NONE } else { 0 },
            at_most,
            waiting: 0,
            lanes: [lane(), lane(), lane()],
        }
    }

    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn waiting_as(&self, priority: Priority) -> usize {
        self.lanes[priority as usize].waiting
    }

    /// Makes room for one more request, if it may have some. The waker is that of the request that had to go.
    pub(super) fn make_room(&mut self, by: By, orders: Orders) -> Result<Option<Waker>, Reason> {
        if self.free == NONE {
            return Err(Reason::Full);
        }
        if self.waiting < self.at_most {
            return Ok(None);
        }
        let lower = Priority::ALL.into_iter().rev().take_while(|other| *other > by.priority);
        let lowest = lower.into_iter().find(|other| self.lanes[*other as usize].waiting > 0);
        if let Some(lowest) = lowest {
            let share = self.lanes[lowest as usize].longest();
            return Ok(self.turn_away(lowest, share, orders, Reason::Outranked));
        }
        let lane = &self.lanes[by.priority as usize];
        if lane.waiting == 0 {
            // All waiting requests matter more.
            return Err(Reason::Full);
        }
        let own = lane.shares[usize::from(by.share)].waiting;
        let longest = lane.longest();
        if lane.shares[longest as usize].waiting > own + 1 {
            return Ok(self.turn_away(by.priority, longest, orders, Reason::Share));
        }
        // It is the requester's own fault if it has more than its part of the places, and others have places, too.
        let part = lane.waiting.div_ceil(lane.active.max(1));
        Err(if lane.active > 1 && own > part { Reason::Share } else { Reason::Full })
    }

    /// The slot of a request that waits from now on. There has to be room.
    pub(super) fn push(&mut self, by: By) -> u32 {
        let at = self.free;
        let slot = &mut self.slots[at as usize];
        self.free = slot.after;
        (slot.state, slot.by, slot.after) = (State::Waiting, by, NONE);
        let lane = &mut self.lanes[by.priority as usize];
        let share = &mut lane.shares[usize::from(by.share)];
        slot.before = share.last;
        let before = share.last;
        share.last = at;
        share.waiting += 1;
        if before == NONE {
            share.first = at;
            lane.begins(u32::from(by.share));
        } else {
            self.slots[before as usize].after = at;
        }
        self.lanes[by.priority as usize].waiting += 1;
        self.waiting += 1;
        at
    }

    /// Gives a permit to the next request, as one of `in_flight`.
    pub(super) fn grant(&mut self, orders: Orders, in_flight: usize) -> Option<Option<Waker>> {
        let lane = self.lanes.iter().position(|lane| lane.waiting > 0)?;
        let share = self.lanes[lane].turn;
        let of = self.lanes[lane].shares[share as usize];
        let at = if orders[lane] == Order::Fifo { of.first } else { of.last };
        // The next share has its turn, even if this one has more requests.
        self.lanes[lane].turn = of.after;
        self.unlink(at);
        let slot = &mut self.slots[at as usize];
        slot.state = State::Granted(in_flight);
        Some(slot.waker.take())
    }

    /// What happened to the slot. If its wait is over, the slot is free again. The returned waker is no longer needed.
    pub(super) fn poll(&mut self, at: u32, waker: &Waker) -> (Poll<Result<usize, Reason>>, Option<Waker>) {
        let slot = &mut self.slots[at as usize];
        match slot.state {
            State::Waiting => match &slot.waker {
                Some(known) if known.will_wake(waker) => (Poll::Pending, None),
                _ => (Poll::Pending, slot.waker.replace(waker.clone())),
            },
            State::Granted(in_flight) => (Poll::Ready(Ok(in_flight)), self.release(at)),
            State::TurnedAway(reason) => (Poll::Ready(Err(reason)), self.release(at)),
            State::Free => unreachable!("a waiter has its slot until it is over"),
        }
    }

    /// The request goes, and the slot is free again.
    pub(super) fn leave(&mut self, at: u32) -> (Left, Option<Waker>) {
        let left = match self.slots[at as usize].state {
            State::Waiting => {
                self.unlink(at);
                Left::Waiting
            }
            State::Granted(_) => Left::Granted,
            State::TurnedAway(_) | State::Free => Left::TurnedAway,
        };
        (left, self.release(at))
    }

    /// Takes out the request that would be served last.
    fn turn_away(&mut self, priority: Priority, share: u32, orders: Orders, reason: Reason) -> Option<Waker> {
        let of = self.lanes[priority as usize].shares[share as usize];
        let at = if orders[priority as usize] == Order::Fifo { of.last } else { of.first };
        self.unlink(at);
        let slot = &mut self.slots[at as usize];
        slot.state = State::TurnedAway(reason);
        slot.waker.take()
    }

    fn release(&mut self, at: u32) -> Option<Waker> {
        let slot = &mut self.slots[at as usize];
        (slot.state, slot.after) = (State::Free, self.free);
        self.free = at;
        slot.waker.take()
    }

    fn unlink(&mut self, at: u32) {
        let Slot { by, before, after, .. } = self.slots[at as usize];
        if before != NONE {
            self.slots[before as usize].after = after;
        }
        if after != NONE {
            self.slots[after as usize].before = before;
        }
        let lane = &mut self.lanes[by.priority as usize];
        let share = &mut lane.shares[usize::from(by.share)];
        if before == NONE {
            share.first = after;
        }
        if after == NONE {
            share.last = before;
        }
        share.waiting -= 1;
        if share.waiting == 0 {
            lane.ends(u32::from(by.share));
        }
        lane.waiting -= 1;
        self.waiting -= 1;
    }
}

impl Lane {
    /// The share takes part in the turns, as the last one.
    fn begins(&mut self, share: u32) {
        self.active += 1;
        if self.turn == NONE {
            let own = &mut self.shares[share as usize];
            (own.before, own.after) = (share, share);
            self.turn = share;
            return;
        }
        let (after, before) = (self.turn, self.shares[self.turn as usize].before);
        let own = &mut self.shares[share as usize];
        (own.before, own.after) = (before, after);
        self.shares[before as usize].after = share;
        self.shares[after as usize].before = share;
    }

    fn ends(&mut self, share: u32) {
        self.active -= 1;
        let Share { before, after, .. } = self.shares[share as usize];
        if after == share {
            self.turn = NONE;
        } else {
            self.shares[before as usize].after = after;
            self.shares[after as usize].before = before;
            if self.turn == share {
                self.turn = after;
            }
        }
        self.shares[share as usize] = EMPTY;
    }

    /// The share with the most waiting requests. There has to be one.
    fn longest(&self) -> u32 {
        let (mut longest, mut at) = (self.turn, self.turn);
        loop {
            at = self.shares[at as usize].after;
            if at == self.turn {
                return longest;
            }
            if self.shares[at as usize].waiting > self.shares[longest as usize].waiting {
                longest = at;
            }
        }
    }
}
