//! An ejected member is not picked, a returning one is picked little at first, and in a panic all are picked.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Health, Member, PeakEwma, Pick, Registry, RoundRobin, Seat};
use tokio::time::advance;

use crate::seats;

const SECOND: Duration = Duration::from_secs(1);

fn registry(health: Health) -> Arc<Registry<usize>> {
    let registry = Registry::new().with_health(health.jitter(0.0));
    for number in 0..10 {
        registry.register(Member::new(number.to_string(), number), Duration::MAX).unwrap();
    }
    Arc::new(registry)
}

/// The share of the first member, of a thousand requests.
fn share(pick: &Pick<usize, RoundRobin>, seat: &Seat<usize>) -> f64 {
    let before = seat.totals().all();
    for _ in 0..1_000 {
        pick.lease().unwrap().replied(true);
    }
    (seat.totals().all() - before) as f64 / 1_000.0
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_leases_fail_is_ejected_and_returns_step_by_step_with_time_alone() {
    let health = Health::new().failures(3, SECOND).ejection(5 * SECOND, 60 * SECOND).slow_start(10 * SECOND);
    let registry = registry(health);
    let seat = &seats(&registry)[0];
    let pick = Pick::new(Arc::clone(&registry), RoundRobin::new());
    while registry.snapshot().counts().ejected == 0 {
        let lease = pick.lease().unwrap();
        if *lease.endpoint() == 0 { lease.failed() } else { lease.replied(true) }
    }
    assert_eq!(seat.totals().failed, 3);
    assert!(share(&pick, seat) < 0.001);
    advance(4 * SECOND).await;
    assert!(share(&pick, seat) < 0.001);
    // Nobody keeps the registry, and nothing is changed in it: the snapshot is the same.
    advance(SECOND).await;
    let first = share(&pick, seat);
    advance(5 * SECOND).await;
    let half = share(&pick, seat);
    advance(5 * SECOND).await;
    let whole = share(&pick, seat);
    assert!((0.005..0.02).contains(&first), "{first}");
    assert!((0.04..0.07).contains(&half), "{half}");
    assert!((0.099..0.101).contains(&whole), "{whole}");
}

#[tokio::test(start_paused = true)]
async fn in_a_panic_all_are_picked() {
    let registry = registry(Health::new().panic_below(0.5));
    let pick = Pick::new(Arc::clone(&registry), PeakEwma::new());
    for seat in &seats(&registry)[..6] {
        registry.change_state(seat.registration(), |_, _| chain_runtime::upstream::State::Unhealthy).unwrap();
    }
    for _ in 0..1_000 {
        pick.lease().unwrap().replied(true);
    }
    assert!(seats(&registry).iter().all(|seat| seat.totals().ok > 0));
}
