//! The registry under loom: `RUSTFLAGS="--cfg chain_loom -C debug-assertions" LOOM_MAX_PREEMPTIONS=2 cargo test --release -p chain-runtime --features upstream --lib interleavings`.
//!
//! `swap::Swap` says what the models show and what they do not. The models set the time: a lease ends where they say
//! so.
//!
//! Each model keeps a set of the results, and asserts which set it is. So it also fails if loom did not try the orders.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread;

use super::keep::Kept;
use super::{Generation, InFlight, Member, Registration, Registry, State};

fn after(begun: Instant, seconds: u64) -> Instant {
    begun + Duration::from_secs(seconds)
}

const LEASE: Duration = Duration::from_secs(10);

fn register(registry: &Registry<u8>, name: &str, now: Instant) -> Registration {
    registry.change_at(now, |book, _| book.register(&mut Some(Member::new(name, 0)), LEASE, now)).unwrap()
}

fn registry() -> Arc<Registry<u8>> {
    Arc::new(Registry::new().starting_at(Generation::new(1)))
}

/// Picks by name, like any reader: one snapshot, and a seat in it.
fn pick(registry: &Registry<u8>, name: &str) -> Option<InFlight<u8>> {
    registry.snapshot().get(name)?.seat().begin()
}

/// Runs the model, and asserts its possible results.
fn outcomes<T: Ord + Debug + Send + 'static>(model: impl Fn() -> T + Send + Sync + 'static, expected: &[T]) {
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let all = Arc::clone(&seen);
    loom::model(move || {
        let outcome = model();
        all.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap();
    assert!(seen.iter().eq(expected), "{seen:?}");
}

#[test]
fn a_heartbeat_an_eviction_and_a_pick_meet() {
    let model = || {
        let (registry, begun) = (registry(), Instant::now());
        let registration = register(&registry, "a", begun);
        let heart = thread::spawn({
            let (registry, registration) = (Arc::clone(&registry), registration.clone());
            move || {
                let now = after(begun, 5);
                registry.change_at(now, |book, _| book.heartbeat(&registration, now)).is_ok()
            }
        });
        let picker = thread::spawn({
            let registry = Arc::clone(&registry);
            move || pick(&registry, "a")
        });
        let evicted = registry.evict(after(begun, 12));
        let (beat, picked) = (heart.join().unwrap(), picker.join().unwrap());
        // The first thread has decided, and the other one knows it.
        assert_eq!((beat, evicted), if beat { (true, 0) } else { (false, 1) });
        let now = registry.snapshot();
        assert_eq!(now.get("a").is_some(), beat);
        // A pick that was first keeps its seat. After the eviction none begins.
        assert!(picked.is_some() || !beat);
        let seat = registry.lock().book.seat(&registration);
        assert_eq!(seat.is_some_and(|seat| seat.begin().is_some()), beat);
        (beat, picked.is_some())
    };
    outcomes(model, &[(false, false), (false, true), (true, true)]);
}

#[test]
fn an_old_owner_a_new_one_and_a_pick_meet() {
    let model = || {
        let (registry, begun) = (registry(), Instant::now());
        let old = register(&registry, "a", begun);
        let old_owner = thread::spawn({
            let (registry, old) = (Arc::clone(&registry), old.clone());
            move || registry.change_at(begun, |book, _| book.remove(&old)).is_ok()
        });
        let picker = thread::spawn({
            let registry = Arc::clone(&registry);
            move || pick(&registry, "a").map(|request| request.seat().generation().get())
        });
        let new = register(&registry, "a", begun);
        let (removed, picked) = (old_owner.join().unwrap(), picker.join().unwrap());
        assert!(new.generation > old.generation);
        let now = registry.snapshot();
        assert_eq!(now.get("a").unwrap().seat().registration(), &new);
        assert_eq!(now.members().len(), 1);
        (removed, picked)
    };
    outcomes(
        model,
        &[(false, None), (false, Some(1)), (false, Some(2)), (true, None), (true, Some(1)), (true, Some(2))],
    );
}

#[test]
fn what_is_drained_stays_so() {
    let model = || {
        let (registry, begun) = (registry(), Instant::now());
        let registration = register(&registry, "a", begun);
        let seat = registry.lock().book.seat(&registration).unwrap();
        // It has a seat from an old snapshot.
        let picker = thread::spawn({
            let seat = Arc::clone(&seat);
            move || seat.begin()
        });
        let watcher = thread::spawn({
            let seat = Arc::clone(&seat);
            move || seat.is_drained()
        });
        registry.change_at(begun, |book, _| book.change_state(&registration, begun, |_, _| State::Draining)).unwrap();
        assert!(seat.begin().is_none());
        let (request, drained) = (picker.join().unwrap(), watcher.join().unwrap());
        let began = request.is_some();
        assert_eq!(seat.is_drained(), !began);
        drop(request);
        assert!(seat.is_drained());
        (began, drained)
    };
    // A request that is still in flight while another thread has seen the seat drained: that must not happen.
    outcomes(model, &[(false, false), (false, true), (true, false)]);
}

#[test]
fn whoever_has_registered_is_in_the_snapshot() {
    let model = || {
        let (registry, begun) = (registry(), Instant::now());
        let threads = ["a", "b"].map(|name| {
            let registry = Arc::clone(&registry);
            thread::spawn(move || {
                let registration = register(&registry, name, begun);
                let now = registry.snapshot();
                assert_eq!(now.get(name).unwrap().seat().registration(), &registration);
                (now.members().len(), now.version())
            })
        });
        let seen = threads.map(|thread| thread.join().unwrap());
        let now = registry.snapshot();
        assert_eq!((now.members().len(), now.version()), (2, 2));
        seen
    };
    // Each has seen only its own change, or both; but not both only their own. If both saw the same snapshot, one has
    // published for the other.
    outcomes(model, &[[(1, 1), (2, 2)], [(2, 2), (1, 1)], [(2, 2), (2, 2)]]);
}

#[test]
fn what_is_left_to_a_keeper_that_ends_is_published() {
    let model = || {
        let (registry, begun) = (registry(), Instant::now());
        let kept = Kept::new(&registry);
        // The first change is published at once. Changes within the spacing are left to the keeper, if there is one.
        register(&registry, "a", begun);
        let other = thread::spawn({
            let registry = Arc::clone(&registry);
            move || {
                register(&registry, "b", begun);
                registry.snapshot().get("b").is_some()
            }
        });
        drop(kept);
        let at_once = other.join().unwrap();
        assert!(registry.snapshot().get("b").is_some());
        at_once
    };
    outcomes(model, &[false, true]);
}
