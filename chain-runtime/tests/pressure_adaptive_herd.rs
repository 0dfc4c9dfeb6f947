//! 100,000 requests on several threads, of which a third are cancelled at random, while the limit and the level jump.
#![cfg(feature = "pressure")]

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::time::Duration;

use chain_runtime::nodes::Key;
use chain_runtime::pressure::{Adaptive, ByPriority, Fair, Level, LevelCell, Limit, Priority, Sample};
use fastrand::Rng;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

struct User(u32);

impl Key for User {
    fn feed<H: std::hash::Hasher>(&self, hasher: &mut H) {
        std::hash::Hash::hash(&self.0, hasher);
    }
}

/// Another limit after each window.
struct Jumps(usize);

impl Limit for Jumps {
    fn limit(&self) -> usize {
        self.0
    }
    fn update(&mut self, _: &Sample) -> usize {
        self.0 = fastrand::usize(1..64);
        self.0
    }
}

type Shared = Adaptive<Fair<User, ByPriority>, Jumps>;

/// Never more than this run, whatever the limit was meanwhile.
const MOST: usize = 64;

async fn request(limit: Arc<Shared>, running: Arc<AtomicUsize>, number: u64) -> bool {
    let mut random = Rng::with_seed(number);
    let asked = limit.enter(random.choice(&Priority::ALL).unwrap(), &User(random.u32(..1_000)));
    let yields = random.u32(..4);
    let block = pin!(async {
        assert!(running.fetch_add(1, Relaxed) < MOST);
        let _left = Left(&running);
        for _ in 0..yields {
            yield_now().await;
        }
    });
    limit.around(&asked, block).await.is_ok()
}

struct Left<'a>(&'a AtomicUsize);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[test]
fn a_herd_of_which_a_third_is_cancelled_leaves_nobody_in_and_nobody_waiting() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let level = Arc::new(LevelCell::new(Level::Calm));
        // Nobody is turned away for waiting: a wake-up that is lost would let this hang.
        let limit = Shared::new(Jumps(16)).window(Duration::from_micros(100)).queue(256).patience(Duration::MAX);
        let limit = Arc::new(limit.under(Arc::clone(&level)));
        let running = Arc::new(AtomicUsize::new(0));
        let mut served = 0;
        for herd in 0..200_u64 {
            let mut requests = JoinSet::new();
            let handles: Vec<_> =
                (0..500).map(|at| requests.spawn(request(limit.clone(), running.clone(), herd * 500 + at))).collect();
            for handle in handles {
                match fastrand::u32(..9) {
                    0..3 => handle.abort(),
                    3 => level.set(*fastrand::choice(&Level::ALL).unwrap()),
                    4 => yield_now().await,
                    _ => {}
                }
            }
            level.set(Level::Calm);
            let all = async {
                while let Some(request) = requests.join_next().await {
                    served += usize::from(request.unwrap_or_default());
                }
            };
            // One who comes where nobody leaves is what lets those in that wait since the level was higher.
            let comes = async {
                loop {
                    sleep(Duration::from_millis(20)).await;
                    request(limit.clone(), running.clone(), 0).await;
                }
            };
            tokio::select! {
                () = all => {}
                () = comes => {}
                () = sleep(Duration::from_secs(60)) => panic!("somebody was never woken: {:?}", limit.status()),
            }
            let status = limit.status();
            assert_eq!((status.in_flight, status.waiting_in_all()), (0, 0));
        }
        assert!(served > 10_000, "{served}");
        assert_eq!(running.load(Relaxed), 0);
        // All places are free again: as many are in and wait as may.
        let asked = limit.enter(&Priority::Default, &User(0));
        let hold = || async { limit.around(&asked, pin!(pending::<()>())).await };
        let mut held: Vec<_> = (0..MOST + 256).map(|_| Box::pin(hold())).collect();
        for held in &mut held {
            let _ = held.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let status = limit.status();
        assert_eq!((status.in_flight, status.waiting_in_all()), (status.limit, 256));
    });
}
