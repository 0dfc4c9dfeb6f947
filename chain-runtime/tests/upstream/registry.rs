//! What the registry promises, one by one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_runtime::upstream::{Generation, Gone, Member, Refused, Registry, State};
use futures_util::FutureExt as _;
use tokio::time::advance;

const LEASE: Duration = Duration::from_secs(10);

/// What has to come. On a paused clock, what never comes has failed at once.
async fn comes<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not come")
}

fn member(name: &str) -> Member<u16> {
    Member::new(name, 80)
}

#[tokio::test(start_paused = true)]
async fn a_late_heartbeat_revives_nobody() {
    let registry = Registry::new();
    let registration = registry.register(member("a"), LEASE).unwrap();
    advance(LEASE - Duration::from_nanos(1)).await;
    registry.heartbeat(&registration).unwrap();
    advance(LEASE).await;
    // Nobody has evicted it yet. It is over all the same.
    assert!(registry.snapshot().get("a").is_some());
    assert_eq!(registry.heartbeat(&registration), Err(Gone));
    assert!(registry.snapshot().get("a").is_none());
    assert_eq!(registry.heartbeat(&registration), Err(Gone));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_over_at_the_moment_at_which_it_ends() {
    let registry = Registry::new();
    let begun = tokio::time::Instant::now().into_std();
    registry.register(member("a"), LEASE).unwrap();
    assert_eq!(registry.evict(begun + LEASE - Duration::from_nanos(1)), 0);
    assert_eq!(registry.evict(begun + LEASE), 1);
    assert_eq!(registry.evict(begun + LEASE), 0);
}

#[test]
fn an_old_owner_changes_nothing_of_a_new_one() {
    let registry = Registry::new();
    let old = registry.register(member("a"), LEASE).unwrap();
    let new = registry.register(member("a"), LEASE).unwrap();
    assert_eq!(registry.heartbeat(&old), Err(Gone));
    assert_eq!(registry.drain(&old), Err(Gone));
    assert_eq!(registry.remove(&old), Err(Gone));
    assert_eq!(registry.change_state(&old, |_, _| State::Unhealthy), Err(Gone));
    let now = registry.snapshot();
    let entry = now.get("a").unwrap();
    assert_eq!((entry.seat().registration(), entry.state()), (&new, State::Ready));
}

#[test]
fn generations_go_on_where_another_registry_ended() {
    // The process is started anew after 20 ms, in which there were a thousand registrations.
    let first = Registry::<u16>::new();
    let last = (0..1_000).map(|_| first.register(member("a"), LEASE).unwrap().generation).max().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let next = Registry::<u16>::new().register(member("a"), LEASE).unwrap();
    assert!(next.generation > last, "{} {last}", next.generation);
    let said = Registry::<u16>::new().starting_at(Generation::new(7)).register(member("a"), LEASE).unwrap();
    assert_eq!(said.generation, Generation::new(7));
}

#[test]
fn what_is_drained_takes_nothing_new_also_out_of_an_old_snapshot() {
    let registry = Registry::new();
    let registration = registry.register(member("a"), LEASE).unwrap();
    let old = registry.snapshot().keep();
    registry.drain(&registration).unwrap();
    assert_eq!(old.get("a").unwrap().state(), State::Ready);
    assert!(old.get("a").unwrap().seat().begin().is_none());
    // It is there, and is for good what it is.
    assert_eq!(registry.change_state(&registration, |_, _| State::Ready), Ok(State::Draining));
    assert_eq!(registry.snapshot().get("a").unwrap().state(), State::Draining);
    registry.heartbeat(&registration).unwrap();
}

#[tokio::test(start_paused = true)]
async fn drained_completes_when_the_last_request_ends() {
    let registry = Registry::new();
    let registration = registry.register(member("a"), LEASE).unwrap();
    let begin = || registry.snapshot().get("a").unwrap().seat().begin();
    let requests = [begin().unwrap(), begin().unwrap()];
    let mut drained = std::pin::pin!(registry.drained(&registration));
    assert!(drained.as_mut().now_or_never().is_none(), "it is not drained");
    registry.drain(&registration).unwrap();
    assert!(drained.as_mut().now_or_never().is_none(), "two are in flight");
    let [first, second] = requests;
    drop(first);
    assert!(drained.as_mut().now_or_never().is_none(), "one is in flight");
    tokio::join!(comes(drained), async { drop(second) });
}

#[tokio::test(start_paused = true)]
async fn drained_completes_when_what_is_idle_is_drained() {
    let registry = Registry::new();
    let registration = registry.register(member("a"), LEASE).unwrap();
    tokio::join!(comes(registry.drained(&registration)), async { registry.drain(&registration).unwrap() });
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_finishes_what_it_has_and_drained_tells_of_it() {
    let registry = Registry::new();
    let registration = registry.register(member("a"), LEASE).unwrap();
    let seat = Arc::clone(registry.snapshot().get("a").unwrap().seat());
    let request = seat.begin().unwrap();
    drop(seat);
    registry.remove(&registration).unwrap();
    assert!(registry.drained(&registration).now_or_never().is_none());
    tokio::join!(comes(registry.drained(&registration)), async { drop(request) });
    // Of what is long gone nothing is in flight either.
    comes(registry.drained(&registration)).await;
}

#[test]
fn a_name_is_one_word_and_the_limit_is_one() {
    let registry = Registry::new().with_limit(2);
    for name in ["", "a b", "a\n", "a\u{7}", &"a".repeat(256)] {
        assert_eq!(registry.register(member(name), LEASE), Err(Refused::Name(name.into())));
    }
    registry.register(member(&"a".repeat(255)), LEASE).unwrap();
    registry.register(member("b"), LEASE).unwrap();
    assert_eq!(registry.register(member("c"), LEASE), Err(Refused::Full { limit: 2 }));
    registry.register(member("b"), LEASE).unwrap();
}

#[test]
fn a_state_is_decided_by_how_many_there_are_and_a_panic_there_changes_nothing() {
    let registry = Registry::new();
    let [a, b] = ["a", "b"].map(|name| registry.register(member(name), LEASE).unwrap());
    let until = Instant::now() + LEASE;
    registry.change_state(&a, |_, _| State::Ejected { until }).unwrap();
    let seen = Mutex::new(None);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        registry.change_state(&b, |state, counts| {
            *seen.lock().unwrap() = Some((state, counts.ready, counts.ejected));
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(*seen.lock().unwrap(), Some((State::Ready, 1, 1)));
    registry.heartbeat(&b).unwrap();
    assert_eq!(registry.snapshot().get("b").unwrap().state(), State::Ready);
    registry.drain(&b).unwrap();
    assert_eq!(registry.snapshot().counts().draining, 1);
}

/// A member may drop what takes long, or asks the registry.
#[test]
fn members_are_dropped_outside_of_the_lock() {
    struct Asks(Arc<Registry<Asks>>, Arc<AtomicBool>);

    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.evict(Instant::now());
            self.1.store(true, SeqCst);
        }
    }

    let (registry, dropped) = (Arc::new(Registry::new()), Arc::new(AtomicBool::new(false)));
    let endpoint = Asks(Arc::clone(&registry), Arc::clone(&dropped));
    let registration = registry.register(Member::new("a", endpoint), LEASE).unwrap();
    registry.remove(&registration).unwrap();
    assert!(dropped.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn changed_tells_of_the_next_snapshot() {
    let registry = Registry::new();
    let seen = registry.snapshot().version();
    let changes = async {
        let registration = registry.register(member("a"), LEASE).unwrap();
        registry.heartbeat(&registration).unwrap();
    };
    let (now, ()) = tokio::join!(comes(registry.changed(seen)), changes);
    assert_eq!(now.members().len(), 1);
    assert!(registry.changed(now.version()).now_or_never().is_none(), "a heartbeat changes no snapshot");
    assert_eq!(registry.changed(seen).now_or_never().unwrap().version(), now.version());
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_before_a_panic_is_published() {
    let registry = Registry::new();
    registry.register(member("a"), LEASE).unwrap();
    let kept = registry.register(member("b"), Duration::MAX).unwrap();
    advance(LEASE).await;
    let panics = AssertUnwindSafe(|| registry.change_state(&kept, |_, _| panic!("of whoever changes a state")));
    assert!(catch_unwind(panics).is_err());
    // Its lease had ended, and so its seat is closed.
    let names: Vec<_> = registry.snapshot().members().iter().map(|entry| entry.seat().name().to_owned()).collect();
    assert_eq!(names, ["b"]);
}

/// An endpoint that does not like to be compared.
#[derive(Debug)]
struct Touchy(bool);

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        assert!(!other.0, "of whoever compares endpoints");
        true
    }
}

#[test]
fn a_list_whose_endpoints_panic_leaves_a_registry_that_is_whole() {
    let registry = Registry::new();
    let mut listed = registry.listed();
    let list = |b| ["a", "b", "c"].map(|name| Member::new(name, Touchy(b && name == "b")));
    listed.replace(list(false)).unwrap();
    let panics = AssertUnwindSafe(|| listed.replace(list(true).into_iter().skip(1)));
    assert!(catch_unwind(panics).is_err());
    // The first is removed, and the others are as they were: all that a snapshot shows can be asked.
    let now = registry.snapshot();
    assert!(now.members().iter().map(|entry| entry.seat().name()).eq(["b", "c"]));
    assert!(now.members().iter().all(|entry| entry.seat().is_open()));
    let changes = listed.replace(list(false)).unwrap();
    assert_eq!((changes.added, changes.kept), (1, 2));
}
