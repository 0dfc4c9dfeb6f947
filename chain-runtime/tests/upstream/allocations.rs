//! Readers allocate nothing.

use std::time::Duration;

use chain_runtime::upstream::{Member, Registry};

use crate::support::ALLOCATIONS;

#[test]
fn to_look_up_to_begin_and_to_end_allocate_nothing() {
    let registry = Registry::new();
    for shard in 0..3_000 {
        registry.register(Member::new(format!("shard-{shard:04}"), 80), Duration::MAX).unwrap();
    }
    let pick = || {
        let now = registry.snapshot();
        let request = now.get("shard-1234").unwrap().seat().begin().unwrap();
        assert_eq!((request.seat().in_flight(), now.counts().ready), (1, 3_000));
        let kept = registry.snapshot().keep();
        assert!(kept.get("shard-3000").is_none());
    };
    // arc-swap sets up its part of the thread.
    pick();
    let before = ALLOCATIONS.get();
    for _ in 0..1_000 {
        pick();
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn a_heartbeat_of_a_lease_without_an_end_allocates_nothing() {
    let registry = Registry::new();
    let registration = registry.register(Member::new("a", 80), Duration::MAX).unwrap();
    registry.heartbeat(&registration).unwrap();
    let before = ALLOCATIONS.get();
    registry.heartbeat(&registration).unwrap();
    assert_eq!(ALLOCATIONS.get() - before, 0);
}
