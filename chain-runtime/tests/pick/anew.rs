//! Members that register anew are found at once, even if no snapshot shows them yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use chain_runtime::upstream::{Member, Pick, PickBy, Registry, Ring, RoundRobin, Tried};

type Ports = Pick<u16, RoundRobin>;

/// A registry that somebody keeps, whose last snapshot is so young that changes wait for the next.
async fn kept(names: &[&str]) -> Arc<Registry<u16>> {
    let registry = Arc::new(Registry::new().with_spacing(Duration::from_secs(3_600)));
    tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.keep().await }
    });
    tokio::task::yield_now().await;
    registry.listed().replace(names.iter().map(|name| Member::new(*name, 1))).unwrap();
    assert_eq!(registry.snapshot().members().len(), names.len());
    registry
}

#[tokio::test(start_paused = true)]
async fn a_member_that_registers_anew_is_never_missing() {
    let registry = kept(&["a"]).await;
    let pick = Ports::new(Arc::clone(&registry), RoundRobin::new());
    drop(pick.lease().unwrap());
    let again = registry.register(Member::new("a", 2), Duration::MAX).unwrap();
    let before = registry.snapshot().version();
    let lease = pick.lease().expect("it is there");
    assert_eq!((lease.seat().registration(), *lease.endpoint()), (&again, 2));
    assert!(registry.snapshot().version() > before);
}

#[tokio::test(start_paused = true)]
async fn all_members_may_register_anew_at_once() {
    let registry = kept(&["a", "b", "c"]).await;
    let pick: PickBy<chain_runtime::nodes::User, u16, Ring> = Pick::new(Arc::clone(&registry), Ring::new()).by();
    let ada = chain_runtime::nodes::User::new("ada").unwrap();
    for port in 2..10 {
        for name in ["a", "b", "c"] {
            registry.register(Member::new(name, port), Duration::MAX).unwrap();
        }
        let tried = Tried::new();
        for _ in 0..3 {
            assert_eq!(*pick.lease_beside(&ada, &tried).expect("they are there").endpoint(), port);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_all_are_drained_or_removed_nobody_is_found_and_snapshots_are_not_made_for_that() {
    let registry = kept(&["a", "b"]).await;
    let pick = Ports::new(Arc::clone(&registry), RoundRobin::new());
    let members: Vec<_> =
        registry.snapshot().members().iter().map(|entry| entry.seat().registration().clone()).collect();
    registry.drain(&members[0]).unwrap();
    registry.remove(&members[1]).unwrap();
    assert!(pick.lease().is_err());
    let version = registry.snapshot().version();
    assert!((0..10).all(|_| pick.lease().is_err()));
    assert_eq!(registry.snapshot().version(), version);
}

/// Between the closing of a seat and the snapshot with the one that takes its place there is a moment, also where nobody keeps the registry.
#[test]
fn whoever_picks_while_the_only_member_registers_anew_finds_it() {
    let registry = Arc::new(Registry::new());
    registry.register(Member::new("a", 1), Duration::MAX).unwrap();
    let pick = Ports::new(Arc::clone(&registry), RoundRobin::new());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let picker = scope.spawn(|| {
            while !is_over.load(Relaxed) {
                drop(pick.lease().expect("it is there at each moment"));
            }
        });
        for port in 2..20_000 {
            if picker.is_finished() {
                break;
            }
            registry.register(Member::new("a", port), Duration::MAX).unwrap();
        }
        is_over.store(true, Relaxed);
    });
}
