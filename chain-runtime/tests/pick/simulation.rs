//! Ten servers in virtual time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::upstream::{
    Balance, Lease, LeastRequests, Member, NoUpstream, PeakEwma, Pick, Registry, RoundRobin, Seat,
};
use chain_runtime::{chain, node};
use tokio::time::{Instant, sleep};

use crate::seats;

/// A server: it takes 20 to 40 ms, times `slower`, unless it fails after 1 ms.
struct Server {
    slower: AtomicU64,
    fails: AtomicU64,
}

type Servers = Arc<Registry<Arc<Server>>>;

#[node]
async fn ask(lease: &Lease<Arc<Server>>) -> Result<(), NoUpstream> {
    let server = lease.endpoint();
    let fails = server.fails.load(Relaxed) == 1;
    let takes = if fails { 1 } else { time_of(lease) * server.slower.load(Relaxed) };
    sleep(Duration::from_millis(takes)).await;
    lease.replied(!fails);
    Ok(())
}

/// 20 to 40, by the moment and the member: the same in each run.
fn time_of(lease: &Lease<Arc<Server>>) -> u64 {
    let seat = lease.seat();
    let mut mixed = seat.totals().all().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seat.name().as_bytes()[0] as u64;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    20 + (mixed >> 33) % 21
}

chain! {
    struct Gateway<B: Balance<Arc<Server>>> { pick: Pick<Arc<Server>, B> }
    async fn() -> Result<(), NoUpstream> { pick => ask }
}

/// Ten servers behind a gateway.
struct Simulation<B: Balance<Arc<Server>>> {
    gateway: Arc<Gateway<B>>,
    seats: Vec<Arc<Seat<Arc<Server>>>>,
}

/// What came out of some time.
struct Seen {
    /// Requests by server.
    requests: Vec<u64>,
    /// What they took, sorted.
    took: Vec<Duration>,
}

impl Seen {
    fn p99(&self) -> Duration {
        self.took[self.took.len() * 99 / 100]
    }

    /// The first server's share.
    fn first(&self) -> f64 {
        self.requests[0] as f64 / self.requests.iter().sum::<u64>() as f64
    }
}

impl<B> Simulation<B>
where
    B: Balance<Arc<Server>, Table: Send + Sync> + Send + Sync + 'static,
{
    fn new(balance: B) -> Self {
        let registry: Servers = Arc::new(Registry::new());
        for name in "abcdefghij".chars() {
            let server = Server { slower: AtomicU64::new(1), fails: AtomicU64::new(0) };
            registry.register(Member::new(name.to_string(), Arc::new(server)), Duration::MAX).unwrap();
        }
        Self { seats: seats(&registry), gateway: Arc::new(Gateway { pick: Pick::new(registry, balance) }) }
    }

    fn first(&self) -> &Server {
        self.seats[0].endpoint()
    }

    /// A request each 2 ms.
    async fn run(&self, seconds: u64) -> Seen {
        let before: Vec<u64> = self.seats.iter().map(|seat| seat.totals().all()).collect();
        let took = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..seconds * 500 {
            let (gateway, took) = (Arc::clone(&self.gateway), Arc::clone(&took));
            tokio::spawn(async move {
                let begun = Instant::now();
                gateway.run().await.unwrap();
                took.lock().unwrap().push(begun.elapsed());
            });
            sleep(Duration::from_millis(2)).await;
        }
        sleep(Duration::from_secs(1)).await;
        assert!(self.seats.iter().all(|seat| seat.in_flight() == 0));
        let mut took = std::mem::take(&mut *took.lock().unwrap());
        took.sort_unstable();
        assert_eq!(took.len() as u64, seconds * 500);
        let requests = self.seats.iter().zip(before).map(|(seat, before)| seat.totals().all() - before).collect();
        Seen { requests, took }
    }
}

async fn largest_deviation(balance: impl Balance<Arc<Server>, Table: Send + Sync> + Send + Sync + 'static) -> f64 {
    let seen = Simulation::new(balance).run(120).await;
    let fair = seen.requests.iter().sum::<u64>() as f64 / 10.0;
    let deviation = |requests: &u64| (*requests as f64 / fair - 1.0).abs();
    seen.requests.iter().map(deviation).fold(0.0, f64::max)
}

#[tokio::test(start_paused = true)]
async fn equal_members_have_equal_shares() {
    fastrand::seed(7);
    let peak = largest_deviation(PeakEwma::new()).await;
    let least = largest_deviation(LeastRequests::new()).await;
    let round = largest_deviation(RoundRobin::new()).await;
    println!("peak EWMA {peak:.4}, least requests {least:.4}, round robin {round:.4}");
    assert!(peak < 0.05 && least < 0.05 && round < 0.05, "{peak} {least} {round}");
}

/// How much longer the p99 is when one of ten is ten times slower, and that one's share.
async fn slowed(balance: impl Balance<Arc<Server>, Table: Send + Sync> + Send + Sync + 'static) -> (f64, f64) {
    let simulation = Simulation::new(balance);
    let healthy = simulation.run(30).await;
    simulation.first().slower.store(10, Relaxed);
    let seen = simulation.run(60).await;
    (seen.p99().as_secs_f64() / healthy.p99().as_secs_f64(), seen.first())
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_does_not_slow_the_others_requests() {
    fastrand::seed(7);
    let (peak, share) = slowed(PeakEwma::new()).await;
    let (round, _) = slowed(RoundRobin::new()).await;
    println!("p99 beside the healthy one: peak EWMA {peak:.2} (share {share:.4}), round robin {round:.2}");
    assert!(peak < 1.5, "{peak}");
    // Or the simulation shows nothing.
    assert!(round > 5.0, "{round}");
}

/// The share of one of ten from when it fails after 1 ms, and its share after it is well again.
async fn failing(balance: impl Balance<Arc<Server>, Table: Send + Sync> + Send + Sync + 'static) -> (f64, f64) {
    let simulation = Simulation::new(balance);
    simulation.run(10).await;
    simulation.first().fails.store(1, Relaxed);
    let failing = simulation.run(60).await.first();
    simulation.first().fails.store(0, Relaxed);
    simulation.run(120).await;
    (failing, simulation.run(60).await.first())
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_fast_attracts_nothing_and_comes_back_when_it_is_well() {
    fastrand::seed(7);
    let (peak, back) = failing(PeakEwma::new()).await;
    let (least, _) = failing(LeastRequests::new()).await;
    println!("share while it fails: peak EWMA {peak:.4}, least requests {least:.4}; afterwards {back:.4}");
    assert!(peak < 0.01, "{peak}");
    assert!(back > 0.09, "{back}");
    // Or the simulation shows nothing: it has little in flight, so it looks idle.
    assert!(least > 0.1, "{least}");
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_from_the_first_moment_attracts_nothing() {
    fastrand::seed(7);
    let simulation = Simulation::new(PeakEwma::new());
    simulation.first().fails.store(1, Relaxed);
    let share = simulation.run(60).await.first();
    assert!(share < 0.01, "{share}");
}
