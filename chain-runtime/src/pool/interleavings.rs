//! The pool's own atomics under loom: `RUSTFLAGS="--cfg chain_loom" cargo test --release -p chain-runtime --features pool --lib interleavings`.
//!
//! What lends and returns values stands on `thread_local` and `crossbeam-queue`, which have tests of their own.

use std::time::{Duration, Instant};

use loom::sync::Arc;
use loom::thread;

use super::counters::{Counters, Ending, Totals, add};
use super::demand::Demand;

/// One lease on a thread, from its beginning to its end.
fn lease(counters: &Counters) {
    add(&counters.begun, 1);
    drop(Ending { counter: &counters.ended });
}

fn totals(counters: &[Arc<Counters>]) -> Totals {
    let mut totals = Totals::default();
    counters.iter().for_each(|counters| totals.add(counters));
    totals
}

#[test]
fn counts_add_up_once_all_is_quiet_and_are_never_absurd_before() {
    loom::model(|| {
        let counters = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        let threads = counters.clone().map(|counters| {
            thread::spawn(move || {
                lease(&counters);
                lease(&counters);
            })
        });
        let seen = totals(&counters);
        assert!(seen.in_use() <= 4, "{seen:?}");
        assert!(seen.begun <= 4 && seen.ended <= 4, "{seen:?}");
        for thread in threads {
            thread.join().unwrap();
        }
        let quiet = totals(&counters);
        assert_eq!((quiet.begun, quiet.ended, quiet.in_use()), (4, 4, 0));
    });
}

#[test]
fn a_count_is_seen_to_rise_only() {
    loom::model(|| {
        let counters = Arc::new(Counters::default());
        let writer = {
            let counters = Arc::clone(&counters);
            thread::spawn(move || {
                lease(&counters);
                lease(&counters);
            })
        };
        let seen = [(); 2].map(|()| totals(std::slice::from_ref(&counters)));
        assert!(seen[0].begun <= seen[1].begun && seen[0].ended <= seen[1].ended, "{seen:?}");
        writer.join().unwrap();
    });
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
