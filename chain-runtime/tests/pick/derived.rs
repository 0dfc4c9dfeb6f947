//! What is derived from a snapshot: one thread derives it, and no other thread waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use chain_runtime::upstream::{Ask, Balance, Candidate, Member, PeakEwma, Pick, Registry};

use crate::{registry, seats};

/// Takes the last one, and derives nothing, but in a way that a test can hold.
#[derive(Clone)]
struct Held {
    holds: Arc<AtomicBool>,
    derived: Arc<AtomicUsize>,
    /// Passed when it begins to derive, and when it goes on.
    gate: Arc<Barrier>,
}

impl Held {
    fn new() -> Self {
        Self { holds: Arc::default(), derived: Arc::default(), gate: Arc::new(Barrier::new(2)) }
    }
}

impl<T> Balance<T> for Held {
    type Table = usize;

    fn table(&self, candidates: &[Candidate<T>]) -> usize {
        self.derived.fetch_add(1, SeqCst);
        if self.holds.load(SeqCst) {
            self.gate.wait();
            self.gate.wait();
        }
        candidates.len()
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a usize, _: &Ask<'_>) -> &'a Candidate<T> {
        assert_eq!(candidates.len(), *table, "it was derived of others");
        &candidates[candidates.len() - 1]
    }
}

#[test]
fn nobody_waits_for_who_derives() {
    let registry = registry(3);
    let balance = Held::new();
    let pick = Arc::new(Pick::new(Arc::clone(&registry), balance.clone()));
    registry.register(Member::new("9", 9), Duration::MAX).unwrap();
    balance.holds.store(true, SeqCst);
    let derives = thread::spawn({
        let pick = Arc::clone(&pick);
        move || *pick.lease().unwrap().endpoint()
    });
    balance.gate.wait();
    // It is derived, and meanwhile the snapshot before is picked in.
    assert_eq!(*pick.lease().unwrap().endpoint(), 2);
    // Whoever is closed in it is not picked, also meanwhile.
    registry.drain(seats(&registry)[2].registration()).unwrap();
    assert_ne!(*pick.lease().unwrap().endpoint(), 2);
    balance.holds.store(false, SeqCst);
    balance.gate.wait();
    assert_eq!(derives.join().unwrap(), 9);
    assert_eq!(*pick.lease().unwrap().endpoint(), 9);
}

#[test]
fn it_is_derived_once_a_snapshot() {
    let registry = registry(3);
    let balance = Held::new();
    let pick = Pick::new(Arc::clone(&registry), balance.clone());
    for snapshots in 1..10 {
        for _ in 0..10 {
            drop(pick.lease().unwrap());
        }
        assert_eq!(balance.derived.load(SeqCst), snapshots);
        registry.register(Member::new("9", 9), Duration::MAX).unwrap();
    }
}

/// Panics where there are four.
struct Panics;

impl<T> Balance<T> for Panics {
    type Table = ();

    fn table(&self, candidates: &[Candidate<T>]) {
        assert_ne!(candidates.len(), 4, "as it should");
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], (): &'a (), _: &Ask<'_>) -> &'a Candidate<T> {
        &candidates[candidates.len() - 1]
    }
}

#[test]
fn a_balancer_that_panics_is_asked_again() {
    let registry = registry(3);
    let pick = Pick::new(Arc::clone(&registry), Panics);
    registry.register(Member::new("9", 9), Duration::MAX).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| pick.lease())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| pick.lease())).is_err());
    registry.register(Member::new("91", 10), Duration::MAX).unwrap();
    assert_eq!(*pick.lease().unwrap().endpoint(), 10);
}

#[test]
fn nothing_is_picked_behind_a_drain_while_members_come_and_go() {
    let registry = registry(8);
    let pick = Arc::new(Pick::new(Arc::clone(&registry), PeakEwma::new()));
    let ends = Arc::new(AtomicBool::new(false));
    let pickers = [(); 2].map(|()| {
        let (pick, ends) = (Arc::clone(&pick), Arc::clone(&ends));
        thread::spawn(move || {
            while !ends.load(SeqCst) {
                drop(pick.lease().unwrap());
            }
        })
    });
    for turn in 0..500_usize {
        let name = format!("{:04}", turn % 8);
        let registration = registry.snapshot().get(&name).unwrap().seat().registration().clone();
        let seat = Arc::clone(registry.snapshot().get(&name).unwrap().seat());
        registry.drain(&registration).unwrap();
        while seat.in_flight() != 0 {
            thread::yield_now();
        }
        let returned = seat.totals().all();
        for _ in 0..10 {
            assert_ne!(pick.lease().unwrap().seat().generation(), registration.generation);
        }
        assert_eq!(seat.totals().all(), returned);
        registry.register(Member::new(name, turn), Duration::MAX).unwrap();
    }
    ends.store(true, SeqCst);
    for picker in pickers {
        picker.join().unwrap();
    }
    assert!(seats(&registry).iter().all(|seat| seat.in_flight() == 0));
}

/// A keeper publishes a millisecond apart. Where the members of a list are all others, the old ones take nothing any more from when they are replaced.
#[tokio::test(start_paused = true)]
async fn whoever_comes_in_the_place_of_all_others_is_picked_at_once() {
    let registry = Arc::new(Registry::new());
    let kept = Arc::clone(&registry);
    let keeper = tokio::spawn(async move { kept.keep().await });
    tokio::task::yield_now().await;
    let mut listed = registry.listed();
    let pick = Pick::new(Arc::clone(&registry), PeakEwma::new());
    for member in 0..100_u32 {
        listed.replace([Member::new(member.to_string(), member)]).unwrap();
        assert_eq!(*pick.lease().unwrap().endpoint(), member);
    }
    keeper.abort();
}
