//! Members in the zone come first, and others get what is too much for these.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Lease, LeastRequests, Member, Pick, Registry, Zoned};

use crate::seats;

type Near = Pick<usize, Zoned<LeastRequests>>;

/// Two members in zone `a`, and four in `b`.
fn registry() -> Arc<Registry<usize>> {
    let registry = Registry::new();
    for (number, zone) in ["a", "a", "b", "b", "b", "b"].into_iter().enumerate() {
        registry.register(Member::new(number.to_string(), number).zone(zone), Duration::MAX).unwrap();
    }
    Arc::new(registry)
}

fn pick(registry: &Arc<Registry<usize>>) -> Near {
    Pick::new(Arc::clone(registry), Zoned::new("a", LeastRequests::new()).spill_over_at(10))
}

fn leases(pick: &Near, number: usize) -> Vec<Lease<usize>> {
    (0..number).map(|_| pick.lease().unwrap()).collect()
}

fn in_flight(registry: &Registry<usize>) -> Vec<usize> {
    seats(registry).iter().map(|seat| seat.in_flight()).collect()
}

#[test]
fn the_zone_takes_what_it_can_and_only_what_is_above_goes_elsewhere() {
    let registry = registry();
    let pick = pick(&registry);
    let first = leases(&pick, 20);
    assert_eq!(in_flight(&registry), [10, 10, 0, 0, 0, 0]);
    let more = leases(&pick, 40);
    assert_eq!(in_flight(&registry), [10, 10, 10, 10, 10, 10]);
    // Where all are as busy, the zone is no worse than the others, and no better.
    let most = leases(&pick, 60);
    assert_eq!(in_flight(&registry), [20, 20, 20, 20, 20, 20]);
    drop((first, more, most));
    let again = leases(&pick, 2);
    assert_eq!(in_flight(&registry), [1, 1, 0, 0, 0, 0]);
    drop(again);
}

#[test]
fn a_zone_without_members_is_served_by_the_others() {
    let registry = registry();
    let pick = pick(&registry);
    let all = seats(&registry);
    registry.drain(all[0].registration()).unwrap();
    registry.remove(all[1].registration()).unwrap();
    let leases = leases(&pick, 8);
    assert!(leases.iter().all(|lease| lease.seat().zone() == Some("b")));
    registry.register(Member::new("1", 1).zone("a"), Duration::MAX).unwrap();
    assert_eq!(pick.lease().unwrap().seat().zone(), Some("a"));
}
