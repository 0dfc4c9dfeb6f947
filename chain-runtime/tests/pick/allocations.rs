//! Picking and returning allocates nothing.

use std::pin::pin;
use std::sync::Arc;

use chain_runtime::nodes::User;
use chain_runtime::upstream::{
    Balance, Lease, LeastRequests, NoUpstream, PeakEwma, Pick, PickBy, Ring, RoundRobin, Subset, Tried, Zoned,
};
use chain_runtime::{chain, node};
use futures_util::FutureExt as _;

use crate::registry;
use crate::support::ALLOCATIONS;

#[node]
async fn ask(lease: &Lease<usize>) -> Result<usize, NoUpstream> {
    lease.replied(true);
    Ok(*lease.endpoint())
}

chain! {
    struct Gateway<B: Balance<usize>> { pick: Pick<usize, B> }
    async fn() -> Result<usize, NoUpstream> { pick => ask }
}

fn allocated(mut run: impl FnMut()) -> u64 {
    // arc-swap and fastrand set up their parts of the thread.
    run();
    let before = ALLOCATIONS.get();
    for _ in 0..1_000 {
        run();
    }
    ALLOCATIONS.get() - before
}

fn allocates_nothing(balance: impl Balance<usize>, members: usize) {
    let gateway = Gateway { pick: Pick::new(registry(members), balance) };
    let run = || assert!(pin!(gateway.run()).now_or_never().unwrap().is_ok());
    assert_eq!(allocated(run), 0);
}

#[test]
fn to_pick_and_to_return_allocates_nothing() {
    for members in [1, 30, 3_000] {
        allocates_nothing(PeakEwma::new(), members);
        allocates_nothing(LeastRequests::new(), members);
        allocates_nothing(RoundRobin::new(), members);
        allocates_nothing(Zoned::new("a", PeakEwma::new()), members);
        allocates_nothing(Subset::numbered(1, 3, PeakEwma::new()), members);
        allocates_nothing(Ring::new(), members);
    }
}

fn to_pick_another_allocates_nothing_by(balance: impl Balance<usize>, members: usize) {
    let pick = Pick::new(registry(members), balance);
    let run = || {
        let tried = Tried::new();
        // More often than there are members, where there are few, and than are remembered.
        for _ in 0..10 {
            drop(pick.lease_beside(&tried).unwrap());
        }
    };
    assert_eq!(allocated(run), 0);
}

#[test]
fn to_pick_another_allocates_nothing() {
    for members in [1, 30, 3_000] {
        to_pick_another_allocates_nothing_by(PeakEwma::new(), members);
        to_pick_another_allocates_nothing_by(LeastRequests::new(), members);
        to_pick_another_allocates_nothing_by(RoundRobin::new(), members);
        to_pick_another_allocates_nothing_by(Zoned::new("a", PeakEwma::new()), members);
        to_pick_another_allocates_nothing_by(Subset::numbered(1, 3, PeakEwma::new()), members);
        to_pick_another_allocates_nothing_by(Ring::new(), members);
    }
}

#[test]
fn to_pick_by_a_key_allocates_nothing() {
    let pick: PickBy<User, usize, Ring> = Pick::new(registry(30), Ring::new()).by();
    let user = User::new("ada").unwrap();
    assert_eq!(allocated(|| drop(pick.lease(&user).unwrap())), 0);
}

#[test]
fn a_new_snapshot_is_derived_once() {
    let registry = registry(30);
    let gateway = Gateway { pick: Pick::new(Arc::clone(&registry), PeakEwma::new()) };
    let mut run = || assert!(pin!(gateway.run()).now_or_never().unwrap().is_ok());
    let members: Vec<_> = crate::seats(&registry);
    registry.drain(members[0].registration()).unwrap();
    let before = ALLOCATIONS.get();
    run();
    assert!(ALLOCATIONS.get() > before, "or the next line shows nothing");
    assert_eq!(allocated(&mut run), 0);
}
