//! The cost of a request that finds a permit on its machine:
//! `cargo test --release -p chain-shared-tests --test hit -- --nocapture`.

use std::alloc::System;
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use chain_counting::{Counting, allocated};
use chain_runtime::nodes::shared_rate_limit::{Closed, Limited, LocalShare, Quota, SharedRateLimit};
use chain_runtime::shared::{Redis, Settings};
use chain_shared_tests::Server;

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

/// Polls once: whoever has to wait is no hit.
fn hit<F: Future>(check: F) -> Option<F::Output> {
    match pin!(check).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(said) => Some(said),
        Poll::Pending => None,
    }
}

async fn up(server: &Server) -> Redis {
    let redis = Redis::start(Settings::at(&server.url()).unwrap().patience(Duration::from_millis(40)));
    redis.ready().await;
    redis
}

fn quota(rate: u32, burst: u32) -> Quota {
    let number = |n| NonZeroU32::new(n).unwrap();
    Quota::per_second(number(rate), number(1)).burst(number(burst)).grants_live(Duration::from_secs(600))
}

#[tokio::test]
async fn a_hit_and_a_refusal_allocate_nothing() {
    let server = Server::start().await;
    let redis = up(&server).await;
    let limit: SharedRateLimit<String, Closed> = SharedRateLimit::new(&redis, "hit", quota(10, 100_000)).unwrap();
    let key = "ada".to_owned();
    // Until the machine keeps some thousands.
    while limit.asked() < 14 {
        let _ = limit.check(&key).await;
        tokio::task::yield_now().await;
    }
    let (before, asked, began) = (allocated(), limit.asked(), Instant::now());
    for _ in 0..1_000 {
        assert_eq!(hit(limit.check(&key)), Some(Ok(())));
    }
    let (took, calls) = (began.elapsed(), (allocated() - before).calls);
    assert_eq!(limit.asked(), asked, "they were hits");
    assert_eq!(calls, 0);
    println!("a hit takes {} ns", took.as_nanos() / 1_000);

    // One permit in ten minutes.
    let scarce: SharedRateLimit<String, Closed> = {
        let number = |n| NonZeroU32::new(n).unwrap();
        SharedRateLimit::new(&redis, "scarce", Quota::per_minute(number(1), number(1)).burst(number(1))).unwrap()
    };
    while !matches!(scarce.check(&key).await, Err(Limited::TooMany(_))) {}
    let (before, began) = (allocated(), Instant::now());
    for _ in 0..1_000 {
        assert!(hit(scarce.check(&key)).is_some_and(|said| said.is_err()));
    }
    let (took, calls) = (began.elapsed(), (allocated() - before).calls);
    assert_eq!(calls, 0);
    println!("a refusal takes {} ns", took.as_nanos() / 1_000);
}

#[tokio::test]
async fn a_request_while_redis_is_away_allocates_nothing_and_does_not_wait() {
    let mut server = Server::start().await;
    let redis = up(&server).await;
    let limit: SharedRateLimit<String, LocalShare> = SharedRateLimit::new(&redis, "hit", quota(1_000, 100)).unwrap();
    server.kill();
    while redis.is_up() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let key = "ada".to_owned();
    let (before, began) = (allocated(), Instant::now());
    for _ in 0..1_000 {
        assert!(hit(limit.check(&key)).is_some());
    }
    let (took, calls) = (began.elapsed(), (allocated() - before).calls);
    assert_eq!(calls, 0);
    println!("a request takes {} ns while Redis is away", took.as_nanos() / 1_000);
    assert_eq!(limit.admitted_alone() + limit.refused_alone(), 1_000);
}
