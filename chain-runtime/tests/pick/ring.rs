//! The same member for the same key, as long as it does not have too much in flight.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::nodes::User;
use chain_runtime::upstream::{Lease, Member, Pick, PickBy, Registry, Ring};

use crate::{registry, seats};

type ByUser = PickBy<User, usize, Ring>;

fn users() -> impl Iterator<Item = User> {
    (0..10_000).map(|user| User::new(format!("user-{user}")).unwrap())
}

/// Where each user belongs.
fn owners(registry: &Arc<Registry<usize>>) -> HashMap<User, usize> {
    let pick: ByUser = Pick::new(Arc::clone(registry), Ring::new()).by();
    users().map(|user| (user.clone(), *pick.lease(&user).unwrap().endpoint())).collect()
}

#[test]
fn all_who_have_the_same_members_agree() {
    assert_eq!(owners(&registry(10)), owners(&registry(10)));
}

#[test]
fn keys_are_spread() {
    let owners = owners(&registry(10));
    for member in 0..10 {
        let keys = owners.values().filter(|owner| **owner == member).count();
        assert!((600..1_500).contains(&keys), "{member} has {keys}");
    }
}

#[test]
fn only_the_keys_of_who_goes_move_and_they_come_back() {
    let registry = registry(10);
    let before = owners(&registry);
    let registration = seats(&registry)[3].registration().clone();
    registry.remove(&registration).unwrap();
    for (user, owner) in owners(&registry) {
        assert!(owner == before[&user] || before[&user] == 3, "{user} has moved from {} to {owner}", before[&user]);
    }
    registry.register(Member::new("0003", 3), Duration::MAX).unwrap();
    assert_eq!(owners(&registry), before);
}

#[test]
fn a_key_that_all_want_is_spread_before_its_member_has_too_much() {
    let registry = registry(10);
    let pick: ByUser = Pick::new(Arc::clone(&registry), Ring::new().bounded(1.25)).by();
    let user = User::new("the only one").unwrap();
    let leases: Vec<Lease<usize>> = (0..1_000).map(|_| pick.lease(&user).unwrap()).collect();
    let most = seats(&registry).iter().map(|seat| seat.in_flight()).max().unwrap();
    // 1.25 times its share of 100.
    assert!((120..=126).contains(&most), "{most}");
    drop(leases);
    let unbounded: ByUser = Pick::new(Arc::clone(&registry), Ring::new().bounded(f64::INFINITY)).by();
    let leases: Vec<Lease<usize>> = (0..1_000).map(|_| unbounded.lease(&user).unwrap()).collect();
    assert!(seats(&registry).iter().any(|seat| seat.in_flight() == 1_000));
    drop(leases);
}

#[test]
fn the_bound_holds_by_weight_and_among_many() {
    let registry = Arc::new(Registry::new());
    for number in 0..300_usize {
        let member = Member::new(format!("{number:04}"), number).weight(1 + number as u32 % 3);
        registry.register(member, Duration::MAX).unwrap();
    }
    let pick: ByUser = Pick::new(Arc::clone(&registry), Ring::new()).by();
    let user = User::new("the only one").unwrap();
    let leases: Vec<Lease<usize>> = (0..12_000).map(|_| pick.lease(&user).unwrap()).collect();
    // 20 for each unit of weight are its share.
    for entry in registry.snapshot().members() {
        let most = 20.0 * 1.25 * f64::from(entry.weight().get());
        assert!(entry.seat().in_flight() as f64 <= most.ceil(), "{entry:?}");
    }
    drop(leases);
}

#[test]
fn a_member_of_twice_the_weight_has_about_twice_the_keys() {
    let registry = registry(10);
    registry.register(Member::new("0000", 0).weight(2), Duration::MAX).unwrap();
    let keys = owners(&registry).values().filter(|owner| **owner == 0).count();
    // Two of eleven are 1,818.
    assert!((1_300..2_400).contains(&keys), "{keys}");
}
