//! A limit in front of an unknown server: how near it comes to the server's capacity, and how soon.
#![cfg(feature = "pressure")]

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::around::Deadline;
use chain_runtime::pressure::{Adaptive, Aimd, Anyone, ByPriority, Gradient2, Limit, Priority, Vegas};
use tokio::sync::Semaphore;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

/// Serves so many at once, in 10 ms each; who comes beyond that waits in it, as in any server.
struct Server {
    places: Semaphore,
    served: AtomicU32,
}

struct Bench<L: Limit> {
    limit: Adaptive<Anyone, L>,
    server: Server,
}

type Boxed = Box<dyn Limit + Send>;

impl Bench<Boxed> {
    fn new(limit: Boxed, places: usize) -> Arc<Self> {
        let server = Server { places: Semaphore::new(places), served: AtomicU32::new(0) };
        Arc::new(Self { limit: Adaptive::new(limit), server })
    }

    async fn ask(self: Arc<Self>) {
        let block = pin!(async {
            let _place = self.server.places.acquire().await.unwrap();
            sleep(10 * MS).await;
        });
        let in_time = Deadline::within(100 * MS);
        if let Ok(Ok(())) = self.limit.around(pin!(in_time.around(block))).await {
            self.server.served.fetch_add(1, Relaxed);
        }
    }

    /// So many requests a millisecond for so many seconds. Says how many were served, in each second.
    async fn load(self: &Arc<Self>, each_ms: u32, seconds: u32) -> Vec<u32> {
        let mut served = Vec::new();
        for _ in 0..seconds {
            self.server.served.store(0, Relaxed);
            for _ in 0..1_000 {
                for _ in 0..each_ms {
                    tokio::spawn(Arc::clone(self).ask());
                }
                sleep(MS).await;
            }
            served.push(self.server.served.load(Relaxed));
        }
        served
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// A limit that can settle near what a server can do, from 20 on.
fn limits() -> [(&'static str, Boxed); 3] {
    [
        ("gradient", Box::new(Gradient2::new().seed(1))),
        ("vegas", Box::new(Vegas::new().seed(1))),
        ("aimd", Box::new(Aimd::new().timeout(30 * MS))),
    ]
}

#[test]
fn under_three_times_the_capacity_it_settles_near_it_and_the_server_is_busy() {
    for (name, limit) in limits() {
        run(async {
            let bench = Bench::new(limit, 10);
            let served = bench.load(3, 12).await;
            let status = bench.limit.status();
            // A round trip of 1.5 times the usual one is no queue yet; AIMD was told 30 ms.
            let most = if name == "aimd" { 33 } else { 18 };
            assert!((10..=most).contains(&status.limit), "{name}: {status:?}");
            assert!(served[2..].iter().all(|served| *served >= 900), "{name}: {served:?}");
            assert!(status.turned_away_in_all() > 10_000, "{name}: {status:?}");
        });
    }
}

#[test]
fn it_follows_a_server_that_can_do_more_and_one_that_can_do_less() {
    for (name, limit) in limits() {
        run(async {
            let bench = Bench::new(limit, 10);
            bench.load(5, 8).await;
            bench.server.places.add_permits(30);
            let more = bench.load(5, 15).await;
            assert!(more[10..].iter().all(|served| *served >= 3_600), "{name}: {more:?} {:?}", bench.limit.status());
            // Three quarters of the server are gone.
            for _ in 0..30 {
                bench.server.places.acquire().await.unwrap().forget();
            }
            let less = bench.load(5, 15).await;
            let status = bench.limit.status();
            let most = if name == "aimd" { 33 } else { 18 };
            assert!((10..=most).contains(&status.limit), "{name}: {status:?}");
            assert!(less[5..].iter().all(|served| *served >= 900), "{name}: {less:?} {status:?}");
        });
    }
}

#[test]
fn without_load_the_limit_stays_and_nobody_is_turned_away() {
    for (name, limit) in limits() {
        run(async {
            let before = limit.limit();
            let bench = Bench::new(limit, 100);
            // Some ten at once.
            let served = bench.load(1, 5).await;
            let status = bench.limit.status();
            assert!(status.limit >= before && status.limit <= 2 * before, "{name}: {status:?}");
            assert_eq!(status.turned_away_in_all(), 0, "{name}");
            assert!(served.iter().sum::<u32>() >= 4_900, "{name}: {served:?}");
        });
    }
}

#[test]
fn a_burst_leaves_nothing_behind() {
    for (name, limit) in limits() {
        run(async {
            let bench = Bench::new(limit, 10);
            bench.load(3, 5).await;
            let before = bench.limit.status().turned_away_in_all();
            sleep(Duration::from_secs(1)).await;
            // Six tenths of what it can do.
            let block = |bench: &Arc<Bench<Boxed>>| tokio::spawn(Arc::clone(bench).ask());
            for _ in 0..1_000 {
                block(&bench);
                sleep(2 * MS).await;
            }
            let turned_away = bench.limit.status().turned_away_in_all() - before;
            // The load before may have left them in the queue for a moment.
            assert!(turned_away <= 20, "{name}: {turned_away} {:?}", bench.limit.status());
            assert_eq!(bench.limit.status().waiting_in_all(), 0, "{name}");
        });
    }
}

/// What came of each request: its priority, how long it took, and whether it was served.
type Outcome = (Priority, Duration, bool);

/// One in twenty is critical; so many requests a millisecond, for so many seconds, of which the last three count.
async fn by_priority(each_ms: u32, seconds: u32) -> Vec<Outcome> {
    let limit = Arc::new(Adaptive::<ByPriority>::new(Gradient2::new().seed(1)));
    let (places, outcomes) = (Arc::new(Semaphore::new(10)), Arc::new(Mutex::new(Vec::new())));
    let mut number = 0_u32;
    for ms in 0..1_000 * seconds {
        for _ in 0..each_ms {
            number += 1;
            let priority = if number.is_multiple_of(20) { Priority::Critical } else { Priority::Default };
            let (limit, places, outcomes) = (Arc::clone(&limit), Arc::clone(&places), Arc::clone(&outcomes));
            tokio::spawn(async move {
                let began = tokio::time::Instant::now();
                let block = pin!(async {
                    let _place = places.acquire().await.unwrap();
                    // 10 ms in the mean; were it always as long, all would begin and end together.
                    sleep((6 + number % 9) * MS).await;
                });
                let served = limit.around(&limit.enter(&priority), block).await.is_ok();
                if ms >= 1_000 * (seconds - 3) {
                    outcomes.lock().unwrap().push((priority, began.elapsed(), served));
                }
            });
        }
        sleep(MS).await;
    }
    sleep(Duration::from_secs(1)).await;
    std::mem::take(&mut *outcomes.lock().unwrap())
}

/// Of those of the critical that were served, how long 99 in 100 took at most.
fn critical_p99(outcomes: &[Outcome]) -> Duration {
    let critical = outcomes.iter().filter(|(priority, _, served)| *priority == Priority::Critical && *served);
    let mut times: Vec<_> = critical.map(|(_, time, _)| *time).collect();
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[test]
fn at_ten_times_the_capacity_what_is_critical_is_served_as_ever_and_nothing_is_wasted() {
    run(async {
        let calm = critical_p99(&by_priority(1, 5).await);
        let outcomes = by_priority(10, 10).await;
        let served = outcomes.iter().filter(|(.., served)| *served).count();
        assert!(served >= 2_850, "0.95 of what it can do in three seconds: {served}");
        let p99 = critical_p99(&outcomes);
        assert!(p99 <= calm * 2, "{p99:?}, and {calm:?} where it is calm");
        let lost = outcomes.iter().filter(|(priority, _, served)| *priority == Priority::Critical && !served).count();
        assert_eq!(lost, 0, "nothing critical is turned away");
    });
}
