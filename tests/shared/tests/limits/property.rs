use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{Closed, LocalShare, Trouble};
use chain_shared_tests::Server;

use crate::support::{Pace, load_all, machines, quota, worst};

/// Of each random load on three machines, no time has more than the formula says: limits that are closed where there is no answer, so that nothing else is let through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_machines_stay_within_the_bound_under_random_loads() {
    let server = Server::start().await;
    for case in 0..12 {
        let seed = fastrand::u64(..);
        fastrand::seed(seed);
        let rate = [10, 100, 1_000, 5_000][case % 4];
        let quota =
            quota(rate, fastrand::u32(1..=rate / 10)).grants_live(Duration::from_millis([5, 50, 200][case / 4]));
        let machines = machines::<Closed>(&server.url(), quota).await;
        let apart = Duration::from_micros(fastrand::u64(0..5_000));
        let mut pace = Pace::new(fastrand::usize(1..20), apart, Duration::from_millis(700));
        pace.stretch = Duration::from_millis(fastrand::u64(0..100));
        let told = load_all(&machines, &format!("key {case}"), pace).await;
        let bound = machines[0].1.bound();
        let over = worst(&bound, Trouble::default(), &told);
        let asked: u64 = machines.iter().map(|(_, limit)| limit.asked()).sum();
        println!(
            "seed {seed}: {} of {} let through, {over} over rate * t + burst, {asked} asked, {} without an answer: {bound}",
            told.admitted.len(),
            told.all(),
            told.away,
        );
    }
}

/// How far over the rate three machines come, in any second: of a flood, and of loads that rest and return, so that permits are left over while the quota grows beside
/// them. `cargo test --release -p chain-shared-tests -- how_far --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_over_the_rate_they_come() {
    let server = Server::start().await;
    // Nobody has a burst but that of a grant's life.
    let quota = quota(1_000, 50);
    let mut most = i64::MIN;
    for (name, stretch) in [("a flood", 0), ("rests of 10 ms", 10), ("rests of 30 ms", 30), ("rests of 45 ms", 45)] {
        let machines = machines::<Closed>(&server.url(), quota).await;
        let mut pace = Pace::new(8, Duration::from_millis(2), Duration::from_secs(2));
        pace.stretch = Duration::from_millis(stretch);
        let told = load_all(&machines, name, pace).await;
        let bound = machines[0].1.bound();
        let over = worst(&bound, Trouble::default(), &told);
        println!("{name}: {over} over rate * t + burst at worst: {:.1} % of a second", over as f64 / 10.0);
        most = most.max(over);
    }
    // At most 5 % of a second's requests, by the formula.
    assert_eq!(quota.bound().overshoot(), 50);
    assert!(most <= 50, "{most}");
}

/// What the quota has is used: to count on the safe side is no reason to refuse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_on_three_machines_gets_the_whole_rate() {
    let server = Server::start().await;
    let quota = quota(1_000, 100);
    let machines = machines::<LocalShare>(&server.url(), quota).await;
    let began = Instant::now();
    let pace = Pace::new(10, Duration::from_millis(3), Duration::from_secs(2));
    let told = load_all(&machines, "ada", pace).await;
    let alone: u64 = machines.iter().map(|(_, limit)| limit.admitted_alone()).sum();
    let asked: u64 = machines.iter().map(|(_, limit)| limit.asked()).sum();
    println!("{asked} asked for {} that were let through of {}", told.admitted.len(), told.all());
    // Nobody asks for a single permit that has just grown, where many will have.
    assert!(asked * 2 < told.admitted.len() as u64, "{asked} asked");
    assert!(told.admitted.len() >= 1_800, "{} of 2,100, {alone} of them by machines on their own", told.admitted.len());
    let admitted = told.admitted.len() as u64 - alone;
    assert!(admitted <= quota.bound().admitted(began.elapsed()), "{admitted}");
}
