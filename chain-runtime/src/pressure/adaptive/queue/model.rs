//! Tests the queue against a simple model of it.

use core::task::{Poll, Waker};
use std::collections::VecDeque;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::priority::{By, Priority};
use super::super::turned_away::Reason;
use super::{Left, Order, Orders, Queue};

/// The waiting requests by priority: the shares in the order of their turns, each with its slots, in the order of
/// arrival.
#[derive(Default)]
struct Model {
    lanes: [VecDeque<(u8, VecDeque<u32>)>; 3],
    /// The results of those that have not looked yet.
    over: Vec<(u32, Result<usize, Reason>)>,
}

impl Model {
    fn waiting(&self) -> usize {
        (0..3).map(|lane| self.in_lane(lane)).sum()
    }

    fn in_lane(&self, lane: usize) -> usize {
        self.lanes[lane].iter().map(|(_, slots)| slots.len()).sum()
    }

    fn push(&mut self, by: By, slot: u32) {
        let lane = &mut self.lanes[by.priority as usize];
        match lane.iter_mut().find(|(share, _)| *share == by.share) {
            Some((_, slots)) => slots.push_back(slot),
            None => lane.push_back((by.share, VecDeque::from([slot]))),
        }
    }

    fn grant(&mut self, orders: Orders, in_flight: usize) -> Option<u32> {
        let (at, lane) = self.lanes.iter_mut().enumerate().find(|(_, lane)| !lane.is_empty())?;
        let (share, mut slots) = lane.pop_front()?;
        let slot = if orders[at] == Order::Fifo { slots.pop_front()? } else { slots.pop_back()? };
        if !slots.is_empty() {
            lane.push_back((share, slots));
        }
        self.over.push((slot, Ok(in_flight)));
        Some(slot)
    }

    /// The largest share; of several, the one whose turn comes first.
    fn longest(&self, lane: usize) -> (u8, usize) {
        let most = self.lanes[lane].iter().map(|(_, slots)| slots.len()).max().unwrap();
        let (share, _) = self.lanes[lane].iter().find(|(_, slots)| slots.len() == most).unwrap();
        (*share, most)
    }

    /// The request of the share that would be served last goes.
    fn turn_away(&mut self, lane: usize, share: u8, orders: Orders, reason: Reason) {
        let (_, slots) = self.lanes[lane].iter_mut().find(|(of, _)| *of == share).unwrap();
        let slot = if orders[lane] == Order::Fifo { slots.pop_back() } else { slots.pop_front() }.unwrap();
        self.lanes[lane].retain(|(_, slots)| !slots.is_empty());
        self.over.push((slot, Err(reason)));
    }

    fn make_room(&mut self, by: By, orders: Orders, at_most: usize) -> Result<(), Reason> {
        if self.waiting() + self.over.len() == 2 * at_most {
            return Err(Reason::Full);
        }
        if self.waiting() < at_most {
            return Ok(());
        }
        let own_lane = by.priority as usize;
        if let Some(lower) = (own_lane + 1..3).rev().find(|lane| self.in_lane(*lane) > 0) {
            self.turn_away(lower, self.longest(lower).0, orders, Reason::Outranked);
            return Ok(());
        }
        if self.in_lane(own_lane) == 0 {
            return Err(Reason::Full);
        }
        let own = self.lanes[own_lane].iter().find(|(share, _)| *share == by.share).map_or(0, |(_, slots)| slots.len());
        let (longest, most) = self.longest(own_lane);
        if most > own + 1 {
            self.turn_away(own_lane, longest, orders, Reason::Share);
            return Ok(());
        }
        let shares = self.lanes[own_lane].len();
        Err(if shares > 1 && own > self.in_lane(own_lane).div_ceil(shares) { Reason::Share } else { Reason::Full })
    }

    /// All slots that were given out and not left.
    fn slots(&self) -> Vec<u32> {
        let waiting = self.lanes.iter().flatten().flat_map(|(_, slots)| slots.iter().copied());
        waiting.chain(self.over.iter().map(|(slot, _)| *slot)).collect()
    }

    fn leave(&mut self, slot: u32) -> Left {
        if let Some(at) = self.over.iter().position(|(of, _)| *of == slot) {
            let (_, outcome) = self.over.swap_remove(at);
            return if outcome.is_ok() { Left::Granted } else { Left::TurnedAway };
        }
        for lane in &mut self.lanes {
            lane.iter_mut().for_each(|(_, slots)| slots.retain(|of| *of != slot));
            lane.retain(|(_, slots)| !slots.is_empty());
        }
        Left::Waiting
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Ask(By),
    Grant,
    Look(usize),
    Leave(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let by = (0..3_usize, 0..4_u8).prop_map(|(priority, share)| By { priority: Priority::ALL[priority], share });
    prop_oneof![
        5 => by.prop_map(Op::Ask),
        2 => Just(Op::Grant),
        2 => any::<usize>().prop_map(Op::Look),
        1 => any::<usize>().prop_map(Op::Leave),
    ]
}

fn step(queue: &mut Queue, model: &mut Model, at_most: usize, orders: Orders, op: Op) {
    let slots = model.slots();
    match op {
        Op::Ask(by) => {
            let room = queue.make_room(by, orders).map(drop);
            assert_eq!(room, model.make_room(by, orders, at_most));
            if room.is_ok() {
                let slot = queue.push(by);
                assert!(!slots.contains(&slot), "a slot is given once");
                model.push(by, slot);
            }
        }
        Op::Grant => assert_eq!(queue.grant(orders, slots.len()).is_some(), model.grant(orders, slots.len()).is_some()),
        Op::Look(at) if !slots.is_empty() => {
            let slot = slots[at % slots.len()];
            let expected = match model.over.iter().position(|(of, _)| *of == slot) {
                Some(at) => Poll::Ready(model.over.swap_remove(at).1),
                None => Poll::Pending,
            };
            assert_eq!(queue.poll(slot, Waker::noop()).0, expected);
        }
        Op::Leave(at) if !slots.is_empty() => {
            let slot = slots[at % slots.len()];
            assert_eq!(queue.leave(slot).0, model.leave(slot));
        }
        Op::Look(_) | Op::Leave(_) => {}
    }
    assert_eq!(queue.waiting(), model.waiting());
    for priority in Priority::ALL {
        assert_eq!(queue.waiting_as(priority), model.in_lane(priority as usize));
    }
    assert!(queue.waiting() <= at_most);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// In 1,000 runs of up to 200 steps each.
    #[test]
    fn the_queue_does_what_its_model_does(at_most in 0_usize..8, steps in prop::collection::vec((op(), any::<[bool; 3]>()), 1..200)) {
        let (mut queue, mut model) = (Queue::new(at_most), Model::default());
        for (op, calm) in steps {
            let orders = calm.map(|calm| if calm { Order::Fifo } else { Order::Lifo });
            step(&mut queue, &mut model, at_most, orders, op);
        }
        // All go, and then all places are there again.
        for slot in model.slots() {
            queue.leave(slot);
        }
        prop_assert_eq!(queue.waiting(), 0);
        let all: Vec<_> = (0..at_most).map(|_| queue.push(By::default())).collect();
        prop_assert_eq!(all.len(), at_most);
    }
}
