//! The pool's own atomics under loom: `RUSTFLAGS="--cfg chain_loom" cargo test --release -p chain-runtime --features pool --lib interleavings`.
//!
//! The lending and returning of values stands on `thread_local` and `crossbeam-queue`, which have tests of their own.

use std::boxed::Box;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::Vec;

use loom::thread;

use super::Slot;
use super::counters::{Counters, Totals, add};
use super::demand::Demand;
use super::magazine::{MAGAZINE, Magazine};

/// A lease that finds no value, as `Pool::refill` counts it.
fn make(magazine: &Magazine<u8>) -> Box<Slot<u8>> {
    add(&magazine.counters.misses, 1);
    magazine.counters.set_tally(magazine.counters.tally().with_lease());
    Box::new(Slot { value: 0, keeps: None, since: None })
}

fn put(magazine: &Magazine<u8>, slot: Box<Slot<u8>>) {
    assert!(magazine.push(slot, MAGAZINE).is_ok());
}

fn totals(counters: &[Arc<Counters>]) -> Totals {
    let mut totals = Totals::new(0);
    counters.iter().for_each(|counters| totals.add(counters));
    totals
}

// The thread that only reads is spawned, and spawned last: a thread that loads before it stores hides from loom that
// another thread had loaded before it, and then loom would try one order only.

#[test]
fn counts_add_up_once_all_is_quiet_and_are_never_absurd_before() {
    loom::model(|| {
        let counters = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        let used = |counters: &Arc<Counters>| {
            let magazine = Magazine::new(Arc::clone(counters));
            put(&magazine, make(&magazine));
            let (slot, turn) = magazine.lend().unwrap();
            assert_eq!(turn, 1);
            put(&magazine, slot);
        };
        let other = thread::spawn({
            let counters = Arc::clone(&counters[1]);
            move || used(&counters)
        });
        let reader = thread::spawn({
            let counters = counters.clone();
            move || {
                let seen = totals(&counters);
                assert!(seen.begun <= 4 && seen.idle <= 2 && seen.in_use() <= 2, "{seen:?}");
            }
        });
        used(&counters[0]);
        other.join().unwrap();
        reader.join().unwrap();
        let quiet = totals(&counters);
        assert_eq!((quiet.begun, quiet.misses, quiet.idle, quiet.in_use()), (4, 2, 2, 0));
    });
}

#[test]
fn a_lease_that_begins_and_its_value_that_leaves_are_seen_together() {
    // A set of the values that were seen, so that the test fails if loom did not try the orders.
    let all_seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let among = Arc::clone(&all_seen);
    loom::model(move || {
        let magazine = Magazine::new(Arc::new(Counters::default()));
        for _ in 0..2 {
            put(&magazine, Box::new(Slot { value: 0, keeps: None, since: None }));
        }
        let reader = thread::spawn({
            let counters = Arc::clone(&magazine.counters);
            let among = Arc::clone(&among);
            move || {
                let seen = [(); 2].map(|()| counters.tally()).map(|tally| (tally.begun(), tally.idle()));
                for (begun, idle) in seen {
                    assert_eq!(begun as usize + idle, 2, "{seen:?}");
                }
                assert!(seen[0].0 <= seen[1].0, "{seen:?}");
                among.lock().unwrap().insert(seen);
            }
        });
        while magazine.lend().is_some() {}
        reader.join().unwrap();
    });
    assert_eq!(all_seen.lock().unwrap().len(), 6);
}

#[test]
fn a_window_is_estimated_by_one_thread_and_stays_within_the_limits() {
    loom::model(|| {
        let now = Instant::now();
        let demand = Arc::new(Demand::new(2..=8, now));
        let due = now + Duration::from_millis(150);
        let threads = [1_000, 0].map(|begun| {
            let demand = Arc::clone(&demand);
            thread::spawn(move || demand.estimate(due, || Totals { begun, ..Totals::default() }))
        });
        let capacity = demand.capacity();
        assert!((2..=8).contains(&capacity), "{capacity}");
        let estimates = threads.map(|thread| thread.join().unwrap());
        let made: Vec<_> = estimates.into_iter().flatten().collect();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(demand.capacity(), made[0]);
        assert!((2..=8).contains(&made[0]), "{made:?}");
    });
}
