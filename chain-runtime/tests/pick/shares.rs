//! Weights, and members that are not open.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Balance, LeastRequests, Member, PeakEwma, Pick, Registry, Ring, RoundRobin, State};

use crate::{registry, seats};

fn weighed() -> Arc<Registry<usize>> {
    let registry = Registry::new();
    for (number, weight) in [5, 3, 2].into_iter().enumerate() {
        registry.register(Member::new(format!("{number:04}"), number).weight(weight), Duration::MAX).unwrap();
    }
    Arc::new(registry)
}

/// How many of ten thousand requests, of which none is under way for long, each member gets.
fn shares(registry: &Arc<Registry<usize>>, balance: impl Balance<usize>) -> [u64; 3] {
    fastrand::seed(7);
    let before: Vec<u64> = seats(registry).iter().map(|seat| seat.totals().all()).collect();
    let pick = Pick::new(Arc::clone(registry), balance);
    for _ in 0..10_000 {
        drop(pick.lease().unwrap());
    }
    let mut after = seats(registry).into_iter().zip(before);
    std::array::from_fn(|_| after.next().map_or(0, |(seat, before)| seat.totals().all() - before))
}

#[test]
fn round_robin_goes_by_weight_to_the_last_request() {
    assert_eq!(shares(&weighed(), RoundRobin::new()), [5_000, 3_000, 2_000]);
}

#[test]
fn others_go_by_weight_where_members_are_as_busy() {
    let registry = weighed();
    for shares in [shares(&registry, LeastRequests::new()), shares(&registry, PeakEwma::new())] {
        assert!((4_500..5_500).contains(&shares[0]) && (1_500..2_500).contains(&shares[2]), "{shares:?}");
    }
}

#[test]
fn least_requests_takes_whoever_has_the_least_for_its_weight() {
    let registry = weighed();
    let pick = Pick::new(Arc::clone(&registry), LeastRequests::new());
    let leases: Vec<_> = (0..100).map(|_| pick.lease().unwrap()).collect();
    let in_flight: Vec<usize> = seats(&registry).iter().map(|seat| seat.in_flight()).collect();
    for (in_flight, share) in in_flight.iter().zip([50_usize, 30, 20]) {
        assert!(in_flight.abs_diff(share) <= 2, "{in_flight} of {share}");
    }
    drop(leases);
}

fn only_the_open_are_picked(balance: impl Balance<usize>) {
    let registry = registry(10);
    let pick = Pick::new(Arc::clone(&registry), balance);
    let seats = seats(&registry);
    registry.drain(seats[0].registration()).unwrap();
    registry.remove(seats[1].registration()).unwrap();
    registry.change_state(seats[2].registration(), |_, _| State::Unhealthy).unwrap();
    for seat in &seats[3..9] {
        registry.drain(seat.registration()).unwrap();
    }
    for _ in 0..1_000 {
        assert_eq!(*pick.lease().unwrap().endpoint(), 9);
    }
    registry.change_state(seats[9].registration(), |_, _| State::Unhealthy).unwrap();
    assert!(pick.lease().is_err());
}

#[test]
fn what_is_not_ready_is_not_picked() {
    only_the_open_are_picked(PeakEwma::new());
    only_the_open_are_picked(LeastRequests::new());
    only_the_open_are_picked(RoundRobin::new());
    only_the_open_are_picked(Ring::new());
}

/// Members are closed that the snapshot still shows as ready, since nothing is published meanwhile.
async fn only_the_open_are_picked_of_an_old_snapshot(balance: impl Balance<usize>) {
    let registry = registry(10);
    let keeper = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.keep().await }
    });
    tokio::time::sleep(Duration::from_millis(5)).await;
    let pick = Pick::new(Arc::clone(&registry), balance);
    // The first change is published at once, and those after it are not.
    registry.register(Member::new("another", 10), Duration::MAX).unwrap();
    let seats = seats(&registry);
    for seat in seats.iter().filter(|seat| *seat.endpoint() != 4) {
        registry.drain(seat.registration()).unwrap();
    }
    assert_eq!(registry.snapshot().counts().ready, 11);
    for _ in 0..1_000 {
        assert_eq!(*pick.lease().unwrap().endpoint(), 4);
    }
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_closed_is_not_picked_though_no_snapshot_says_so_yet() {
    only_the_open_are_picked_of_an_old_snapshot(PeakEwma::new()).await;
    only_the_open_are_picked_of_an_old_snapshot(LeastRequests::new()).await;
    only_the_open_are_picked_of_an_old_snapshot(RoundRobin::new()).await;
    only_the_open_are_picked_of_an_old_snapshot(Ring::new()).await;
}
