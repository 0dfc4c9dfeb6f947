use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{Closed, SharedRateLimit};
use chain_shared_tests::Server;

use crate::support::{Limit, MACHINES, Pace, decided, load, machine, machines, quota};

#[tokio::test]
async fn the_quota_of_a_key_is_that_of_all_machines() {
    let server = Server::start().await;
    let machines = machines::<Closed>(&server.url(), quota(1, 6)).await;
    let (began, mut admitted) = (Instant::now(), 0);
    for _ in 0..4 {
        for (_, limit) in &machines {
            admitted += u64::from(decided(limit, "ada").await.is_ok());
        }
    }
    assert!((6..=7 + began.elapsed().as_secs()).contains(&admitted), "{admitted}");
    let refused = loop {
        if let Err(refused) = decided(&machines[0].1, "ada").await {
            break refused;
        }
    };
    assert!(refused.wait() <= Duration::from_secs(1), "{refused:?}");
    // Another key has its own.
    assert_eq!(decided(&machines[0].1, "bob").await, Ok(()));
}

/// A key is what it feeds to a hasher, and nothing of it stands in Redis.
#[tokio::test]
async fn a_hostile_key_is_a_hash_in_redis_that_expires() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1_000, 10)).unwrap();
    let long = "x".repeat(100_000);
    for key in ["", "*", "a:b\r\nFLUSHALL\r\n", "\0", "{ada}", &long] {
        assert_eq!(decided(&limit, key).await, Ok(()), "{key:?}");
    }
    let names: Vec<String> = server.run("KEYS *").await;
    for name in &names {
        let digest = name.strip_prefix("chain:limit:by_key:").unwrap();
        assert!(digest.len() == 40 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    }
    // A full quota needs no key: a permit grows in 1 ms.
    let until = Instant::now() + Duration::from_secs(20);
    while server.run::<u64>("DBSIZE").await > 0 {
        assert!(Instant::now() < until, "the keys stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A flood on a key whose quota is used up is refused by each machine for itself.
#[tokio::test]
async fn who_is_refused_asks_nobody_until_there_is_a_permit() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit: Limit<Closed> =
        SharedRateLimit::new(&redis, "by_key", quota(1, 2).grants_live(Duration::from_secs(1))).unwrap();
    let key = "ada".to_owned();
    let mut admitted = 0;
    for _ in 0..10_000 {
        admitted += usize::from(decided(&limit, &key).await.is_ok());
    }
    assert!((2..=4).contains(&admitted), "{admitted}");
    assert!(limit.asked() <= 8, "{}", limit.asked());
}

/// Most requests ask nobody.
#[tokio::test]
async fn a_busy_key_asks_for_many_at_once() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(100_000, 10_000)).unwrap();
    let key = "ada".to_owned();
    let mut admitted = 0;
    for _ in 0..20_000 {
        admitted += usize::from(decided(&limit, &key).await.is_ok());
    }
    let asked = limit.asked();
    assert!(asked * 20 < admitted as u64, "{asked} for {admitted}");
}

/// A key that asks once takes one permit, and none ahead of need.
#[tokio::test]
async fn a_key_that_asks_once_takes_one_permit() {
    let server = Server::start().await;
    let machines = machines::<Closed>(&server.url(), quota(1, 100)).await;
    let key = "ada".to_owned();
    assert_eq!(decided(&machines[0].1, &key).await, Ok(()));
    let mut admitted = 1;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        admitted += u64::from(decided(&machines[1].1, &key).await.is_ok());
    }
    // One permit may have grown meanwhile.
    assert!((100..=101 + began.elapsed().as_secs()).contains(&admitted), "{admitted}");
}

/// What three machines keep is let through beside a full quota: the third term of the formula is not idle, and there is no fourth. Once grants have
/// ended, there is no third.
#[tokio::test]
async fn what_is_kept_is_all_that_is_over() {
    let server = Server::start().await;
    let quota = quota(300, 300).grants_live(Duration::from_secs(60));
    let since = Instant::now();
    for later in [Duration::ZERO, Duration::from_secs(61)] {
        let offset = Arc::new(AtomicU64::new(0));
        let mut machines = Vec::new();
        for _ in 0..MACHINES {
            let (redis, offset) = (machine(&server.url()).await, Arc::clone(&offset));
            let clock = move || since + since.elapsed() + Duration::from_secs(offset.load(Relaxed));
            machines.push(SharedRateLimit::<String, Closed, _>::with_clock(&redis, "by_key", quota, clock).unwrap());
        }
        let key = format!("after {later:?}");
        for limit in &machines {
            // Each asks for 1, 2, 4, 8, 16 and 32 before the last are used up, and keeps some thirty.
            for _ in 0..26 {
                assert_eq!(decided(limit, &key).await, Ok(()));
            }
        }
        // The quota is full again.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        offset.store(later.as_secs(), Relaxed);
        let (began, mut admitted) = (Instant::now(), 0);
        for limit in &machines {
            while decided(limit, &key).await.is_ok() {
                admitted += 1;
            }
        }
        let plain = quota.bound().admitted(began.elapsed()) - quota.bound().overshoot();
        println!("{admitted} at once after {later:?}, {plain} without grants: {}", quota.bound());
        if later.is_zero() {
            assert!(admitted > 300 + 60, "{admitted}");
            assert!(admitted <= plain + quota.bound().overshoot(), "{admitted}");
        } else {
            assert!((300..=plain).contains(&admitted), "{admitted}, {plain}");
        }
    }
}

/// What is taken and not used ends, and is asked for anew.
#[tokio::test]
async fn a_dropped_request_keeps_nothing() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit = Arc::new(Limit::<Closed>::new(&redis, "by_key", quota(1_000, 1_000)).unwrap().waiting(4));
    let key = "ada".to_owned();
    for polls in 0..200 {
        let mut check = std::pin::pin!(limit.check(&key));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..polls % 4 {
            if check.as_mut().poll(&mut context).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // The places of those that wait are free again,
    let (waited, until) = (limit.waited(), Instant::now() + Duration::from_secs(30));
    for other in 0.. {
        let _ = limit.check(&format!("other {other}")).await;
        if limit.waited() > waited {
            break;
        }
        assert!(Instant::now() < until, "nobody may wait any more");
    }
    // and so is the key.
    let told = load(limit, &key, Pace::new(4, Duration::ZERO, Duration::from_millis(200))).await;
    assert!(told.admitted.len() > 50, "{told:?}");
}

/// How many requests ask Redis: `cargo test --release -p chain-shared-tests -- how_many --nocapture`.
#[tokio::test]
async fn how_many_requests_ask() {
    let server = Server::start().await;
    for (rate, pace) in [(1_000_u32, Some(Duration::from_millis(1))), (100_000, None)] {
        let redis = machine(&server.url()).await;
        // Three machines with the same load: this one has a third of the quota.
        let limit: Limit<Closed> = SharedRateLimit::new(&redis, &format!("at_{rate}"), quota(rate * 3, rate)).unwrap();
        let key = "ada".to_owned();
        let (began, mut admitted, mut all) = (Instant::now(), 0_u64, 0_u64);
        let apart = Duration::from_secs(1) / rate;
        while began.elapsed() < Duration::from_secs(1) {
            all += 1;
            admitted += u64::from(limit.check(&key).await.is_ok());
            let next = began + apart * u32::try_from(all).unwrap();
            match pace {
                Some(_) => tokio::time::sleep_until(next.into()).await,
                None => {
                    while Instant::now() < next {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        let asked = limit.asked();
        println!(
            "{all} requests in 1 s of {rate}: {admitted} let through, {asked} asked ({:.3} %), {} waited",
            asked as f64 * 100.0 / all as f64,
            limit.waited()
        );
        assert!(asked * 4 < all);
    }
}
