//! Work that only one of all machines does at a time, on a real Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::shared::{Exclusive, Lost, NotRenewed, Redis, Settings};
use chain_shared_tests::Server;

const LEASE: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);

async fn machine(url: &str) -> (Redis, Exclusive) {
    let redis = Redis::start(Settings::at(url).unwrap());
    tokio::time::timeout(LONG, redis.ready()).await.expect("it is up");
    let exclusive = Exclusive::new(&redis, "nightly", LEASE).unwrap();
    (redis, exclusive)
}

#[tokio::test]
async fn one_holds_it_at_a_time_and_tokens_grow() {
    let server = Server::start().await;
    let ((_a, here), (_b, there)) = (machine(&server.url()).await, machine(&server.url()).await);
    let first = here.acquire().await.unwrap().unwrap();
    assert!(first.is_held());
    assert!(there.acquire().await.unwrap().is_none());
    assert!(here.acquire().await.unwrap().is_none());
    let token = first.token();
    first.release().await.unwrap();
    let second = there.acquire().await.unwrap().unwrap();
    assert!(second.token() > token);
}

/// The holder knows before another can have it.
#[tokio::test]
async fn the_holder_knows_of_the_end_before_another_acquires_it() {
    let server = Server::start().await;
    let ((_a, here), (_b, there)) = (machine(&server.url()).await, machine(&server.url()).await);
    let mut first = here.acquire().await.unwrap().unwrap();
    let second = loop {
        match there.acquire().await.unwrap() {
            Some(second) => break second,
            None => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    };
    assert!(!first.is_held());
    assert!(second.token() > first.token());
    // The old holder neither renews nor releases what is another's.
    assert_eq!(first.renew().await, Err(NotRenewed::Lost(Lost)));
    first.release().await.unwrap();
    assert!(here.acquire().await.unwrap().is_none());
}

#[tokio::test]
async fn work_longer_than_a_lease_is_renewed() {
    let server = Server::start().await;
    let ((_a, here), (_b, there)) = (machine(&server.url()).await, machine(&server.url()).await);
    let holding = here.acquire().await.unwrap().unwrap();
    let done = holding
        .run(async |_| {
            for _ in 0..25 {
                assert!(there.acquire().await.unwrap().is_none());
                tokio::time::sleep(LEASE / 10).await;
            }
            "done"
        })
        .await;
    assert_eq!(done, Ok("done"));
    // It was let go.
    assert!(there.acquire().await.unwrap().is_some());
}

/// Work that cannot be renewed is dropped, before a lease has passed since it was last renewed.
#[tokio::test]
async fn work_is_dropped_while_redis_is_away() {
    let mut server = Server::start().await;
    let (_redis, exclusive) = machine(&server.url()).await;
    let holding = exclusive.acquire().await.unwrap().unwrap();
    server.kill();
    let began = Instant::now();
    assert_eq!(holding.run(async |_| std::future::pending::<()>().await).await, Err(Lost));
    assert!(began.elapsed() < LEASE * 2, "{:?}", began.elapsed());
    assert!(exclusive.acquire().await.is_err());
}

/// Whoever is dropped while it acquires, works or lets go has it for no longer than a lease.
#[tokio::test]
async fn what_is_dropped_is_held_for_no_longer_than_a_lease() {
    use std::task::{Context, Waker};
    let server = Server::start().await;
    let (_redis, exclusive) = machine(&server.url()).await;
    for polls in 0..8 {
        let works = async {
            if let Ok(Some(holding)) = exclusive.acquire().await {
                let _ = holding.run(async |_| tokio::time::sleep(Duration::from_micros(300)).await).await;
            }
        };
        let mut works = Box::pin(works);
        for _ in 0..polls {
            if works.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        drop(works);
        let until = Instant::now() + LONG;
        let holding = loop {
            match exclusive.acquire().await {
                Ok(Some(holding)) => break holding,
                _ => assert!(Instant::now() < until, "nobody holds it, and nobody acquires it"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        holding.release().await.unwrap();
    }
}

/// A resource that refuses lesser tokens is never written to by two, whatever becomes of Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_grow_also_when_redis_is_emptied_and_started_anew() {
    let mut server = Server::start().await;
    let greatest = Arc::new(AtomicU64::new(0));
    let mut contenders = Vec::new();
    for _ in 0..3 {
        let (redis, exclusive) = machine(&server.url()).await;
        let greatest = Arc::clone(&greatest);
        contenders.push(tokio::spawn(async move {
            let (_redis, mut acquired) = (redis, 0);
            let until = Instant::now() + Duration::from_secs(3);
            while Instant::now() < until {
                if let Ok(Some(holding)) = exclusive.acquire().await {
                    acquired += 1;
                    // Another may have acquired it meanwhile, since Redis forgets who holds it; but then with a greater token.
                    let token = holding.token();
                    assert_ne!(greatest.fetch_max(token, Relaxed), token, "a token twice");
                    let _ = holding.release().await;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            acquired
        }));
    }
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let (_redis, exclusive) = machine(&server.url()).await;
        if round % 2 == 0 {
            let () = server.run("FLUSHALL").await;
        } else {
            server.kill();
            server.restart().await;
        }
        // One that is acquired after the loss is greater than all before it.
        let before = greatest.load(Relaxed);
        let token = loop {
            match exclusive.acquire().await {
                Ok(Some(holding)) => {
                    let token = holding.token();
                    let _ = holding.release().await;
                    break token;
                }
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        assert!(token > before, "{token} after {before}");
    }
    let mut acquired = 0;
    for contender in contenders {
        acquired += contender.await.unwrap();
    }
    assert!(acquired > 3, "{acquired}");
}
