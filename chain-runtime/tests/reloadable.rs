//! `Reloadable`: a request has one whole version to its end, and a version is freed when nothing holds it any more.
#![cfg(feature = "arc-swap")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use chain_runtime::{Loaded, Reloadable};
use proptest::prelude::*;
use support::ALLOCATIONS;

/// A version that a torn or mixed read would show in, and that is counted while it lives.
struct Version {
    words: [usize; 64],
    alive: Arc<AtomicUsize>,
}

impl Version {
    fn new(number: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Relaxed);
        Self { words: [number; 64], alive: Arc::clone(alive) }
    }

    /// Its number, if it is whole.
    fn number(&self) -> usize {
        let number = self.words[0];
        assert!(self.words.iter().all(|word| *word == number), "torn: {:?}", self.words);
        number
    }
}

impl Drop for Version {
    fn drop(&mut self) {
        // Whoever still reads it would see this.
        self.words = [usize::MAX; 64];
        self.words[63] = 0;
        std::hint::black_box(&self.words);
        self.alive.fetch_sub(1, Relaxed);
    }
}

#[test]
fn readers_see_whole_versions_in_order_and_old_ones_are_freed() {
    const VERSIONS: usize = 20_000;
    let alive = Arc::new(AtomicUsize::new(0));
    let reloadable = Reloadable::new(Version::new(0, &alive));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for held_at_once in [1, 3, 20] {
            let (reloadable, done) = (&reloadable, &done);
            scope.spawn(move || {
                let (mut latest, mut loads) = (0, 0_usize);
                while !done.load(Relaxed) || loads < 1000 {
                    // Many at once, and let go of in another order than they were loaded in.
                    let requests: Vec<_> = (0..held_at_once)
                        .map(|_| {
                            let loaded = reloadable.load();
                            let number = loaded.number();
                            assert!(number >= latest, "{number} after {latest}");
                            latest = number;
                            loads += 1;
                            (loaded, number)
                        })
                        .collect();
                    for (loaded, number) in requests {
                        assert_eq!(loaded.number(), number, "what a request sees has changed");
                    }
                }
            });
        }
        for number in 1..=VERSIONS {
            match number % 3 {
                0 => reloadable.store(Version::new(number, &alive)),
                1 => assert_eq!(reloadable.swap(Version::new(number, &alive)).number(), number - 1),
                _ => reloadable.update(|now| Version::new(now.number() + 1, &alive)),
            }
        }
        done.store(true, Relaxed);
    });
    assert_eq!(reloadable.load().number(), VERSIONS);
    assert_eq!(alive.load(Relaxed), 1, "all versions but the current one are freed");
    drop(reloadable);
    assert_eq!(alive.load(Relaxed), 0);
}

#[test]
fn updates_at_the_same_time_are_all_kept() {
    let counter = Reloadable::new(0_u32);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| counter.update(|now| now + 1)));
        }
    });
    assert_eq!(*counter.load(), 4000);
}

#[test]
fn an_update_that_panics_leaves_the_current_version() {
    let reloadable = Reloadable::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| reloadable.update(|_| panic!("no next version"))));
    assert!(panicked.is_err());
    assert_eq!(*reloadable.load(), 1);
}

#[test]
fn loading_does_not_allocate() {
    let reloadable = Reloadable::new([0; 1000]);
    drop(reloadable.load()); // The first on this thread.
    let before = ALLOCATIONS.get();
    let held: [_; 32] = std::array::from_fn(|_| reloadable.load());
    assert_eq!(ALLOCATIONS.get() - before, 0);
    drop(held);
    reloadable.store([1; 1000]);
    assert_eq!(ALLOCATIONS.get() - before, 1, "the version that is stored");
}

#[test]
fn it_is_shown_as_its_value() {
    let reloadable = Reloadable::from("one");
    assert_eq!(format!("{reloadable:?} {:?}", reloadable.load()), r#"Reloadable("one") "one""#);
    assert_eq!(*Reloadable::<u8>::default().load(), 0);
}

/// What a request holds goes where the request goes.
#[test]
fn a_loaded_version_may_be_held_across_threads() {
    const fn shared<T: Send + Sync + Unpin>() {}
    shared::<Loaded<Vec<u8>>>();
    shared::<Reloadable<Vec<u8>>>();
    let reloadable = Reloadable::new(String::from("old"));
    let loaded = reloadable.load();
    reloadable.store(String::from("new"));
    drop(reloadable);
    assert_eq!(thread::spawn(move || loaded.clone()).join().unwrap(), "old");
}

#[derive(Clone, Debug)]
enum Step {
    Store,
    Swap,
    Update,
    Begin,
    End(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Store),
        1 => Just(Step::Swap),
        1 => Just(Step::Update),
        3 => Just(Step::Begin),
        2 => any::<prop::sample::Index>().prop_map(Step::End),
    ]
}

proptest! {
    /// Against a list of who holds which version: exactly those versions live that somebody holds or that is current.
    #[test]
    fn versions_live_as_long_as_they_are_held(steps in prop::collection::vec(step(), 0..100)) {
        let alive = Arc::new(AtomicUsize::new(0));
        let reloadable = Reloadable::new(Version::new(0, &alive));
        let mut current = 0;
        let mut requests: Vec<(Loaded<Version>, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Store => {
                    current += 1;
                    reloadable.store(Version::new(current, &alive));
                }
                Step::Swap => {
                    current += 1;
                    prop_assert_eq!(reloadable.swap(Version::new(current, &alive)).number(), current - 1);
                }
                Step::Update => {
                    current += 1;
                    reloadable.update(|now| Version::new(now.number() + 1, &alive));
                }
                Step::Begin => requests.push((reloadable.load(), current)),
                Step::End(_) if requests.is_empty() => {}
                Step::End(which) => drop(requests.remove(which.index(requests.len()))),
            }
            for (loaded, number) in &requests {
                prop_assert_eq!(loaded.number(), *number);
            }
            let mut held: Vec<_> = requests.iter().map(|(_, number)| *number).chain([current]).collect();
            held.sort_unstable();
            held.dedup();
            prop_assert_eq!(alive.load(Relaxed), held.len());
        }
    }
}
