//! The room's word and its lock under loom:
//! `RUSTFLAGS="--cfg chain_loom -C debug-assertions" cargo test --release -p chain-runtime --features pressure --lib interleavings`.

use core::task::{Poll, Waker};
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::super::priority::By;
use super::super::turned_away::Reason;
use super::{Asked, Patience, Room};
use crate::shed::Level;

struct World {
    room: Room,
    /// Written by requests that were in before.
    done: AtomicUsize,
    now: Instant,
}

impl World {
    fn new(limit: usize) -> Arc<Self> {
        let patience = Patience { calm: Duration::from_secs(1), target: Duration::from_secs(1) };
        Arc::new(Self { room: Room::new(limit, 2, patience), done: AtomicUsize::new(0), now: Instant::now() })
    }

    /// Like `Gate`: returns the slot, if it waits.
    fn ask(&self) -> Option<u32> {
        if self.room.try_enter(Level::Calm).is_some() {
            return None;
        }
        match self.room.ask(By::default(), Level::Calm, self.now) {
            Asked::In(_) => None,
            Asked::Waits(slot, _) => Some(slot),
            Asked::Away(reason) => panic!("there is room to wait: {reason}"),
        }
    }

    fn leave(&self) {
        if self.room.leave() {
            self.room.let_in(Level::Calm, self.now);
        }
    }

    fn give_up(&self, slot: u32) {
        if self.room.give_up(slot, self.now) {
            self.leave();
        }
    }

    fn poll(&self, slot: Option<u32>) -> Poll<Result<usize, Reason>> {
        slot.map_or(Poll::Ready(Ok(1)), |slot| self.room.poll(slot, Waker::noop()))
    }

    fn is_empty(&self) -> bool {
        self.room.in_flight() == 0 && self.room.waiting() == [0; 3]
    }
}

#[test]
fn who_begins_to_wait_while_another_leaves_is_let_in_and_sees_what_that_did() {
    loom::model(|| {
        let world = World::new(1);
        assert_eq!(world.ask(), None);
        let leaves = thread::spawn({
            let world = Arc::clone(&world);
            move || {
                world.done.store(1, Relaxed);
                world.leave();
            }
        });
        let slot = world.ask();
        if slot.is_none() {
            assert_eq!(world.done.load(Relaxed), 1);
        }
        leaves.join().unwrap();
        assert!(matches!(world.poll(slot), Poll::Ready(Ok(_))));
        assert_eq!(world.done.load(Relaxed), 1);
        world.leave();
        assert!(world.is_empty());
    });
}

#[test]
fn who_gives_up_while_it_is_let_in_hands_the_permit_on() {
    loom::model(|| {
        let world = World::new(1);
        assert_eq!(world.ask(), None);
        let (first, second) = (world.ask().unwrap(), world.ask());
        let leaves = thread::spawn({
            let world = Arc::clone(&world);
            move || world.leave()
        });
        world.give_up(first);
        leaves.join().unwrap();
        assert!(matches!(world.poll(second), Poll::Ready(Ok(_))));
        world.leave();
        assert!(world.is_empty());
    });
}

#[test]
fn who_begins_to_wait_while_the_limit_grows_is_let_in() {
    loom::model(|| {
        let world = World::new(0);
        let grows = thread::spawn({
            let world = Arc::clone(&world);
            move || {
                if world.room.set_limit(1) {
                    world.room.let_in(Level::Calm, world.now);
                }
            }
        });
        let slot = world.ask();
        grows.join().unwrap();
        assert!(matches!(world.poll(slot), Poll::Ready(Ok(_))));
        world.leave();
        assert!(world.is_empty());
    });
}

#[test]
fn two_who_leave_let_in_two_who_wait() {
    loom::model(|| {
        let world = World::new(2);
        assert_eq!((world.ask(), world.ask()), (None, None));
        let first = world.ask();
        let leaves = [(); 2].map(|()| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.leave())
        });
        let second = world.ask();
        for thread in leaves {
            thread.join().unwrap();
        }
        assert!(matches!(world.poll(first), Poll::Ready(Ok(_))));
        assert!(matches!(world.poll(second), Poll::Ready(Ok(_))));
        world.leave();
        world.leave();
        assert!(world.is_empty());
    });
}
