//! A Redis that misbehaves, and unexpected values in a real one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{Closed, Limited, LocalShare, SharedRateLimit};
use chain_runtime::shared::{Exclusive, Redis, Settings};
use chain_shared_tests::{Hostile, Server, array};

use crate::support::{Limit, decided, machine, quota, settings, up};

/// Asks a hostile server for a while: each request has an answer soon, none is let through by a grant, and the server is not flooded.
async fn nothing_is_granted_by(answers: impl Fn(&[Vec<u8>]) -> Option<(Vec<u8>, bool)> + Send + Sync + 'static) {
    let hostile = Hostile::start(answers).await;
    let redis = Redis::start(settings(&hostile.url()));
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1_000, 100)).unwrap();
    let key = "ada".to_owned();
    let until = Instant::now() + Duration::from_millis(400);
    let mut slowest = Duration::ZERO;
    while Instant::now() < until || hostile.asked() == 0 {
        let began = Instant::now();
        assert_eq!(limit.check(&key).await, Err(Limited::Away));
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    assert!(hostile.asked() < 200, "asked {} times", hostile.asked());
    assert!(redis.outages() > 0);
    println!("{} asked, the slowest in {slowest:?}: {:?}", hostile.asked(), redis.last_error());
}

#[tokio::test]
async fn a_server_that_is_loading_grants_nothing() {
    nothing_is_granted_by(|_| Some((b"-LOADING Redis is loading the dataset in memory\r\n".to_vec(), false))).await;
}

#[tokio::test]
async fn a_server_without_memory_grants_nothing() {
    let error = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    nothing_is_granted_by(|_| Some((error.to_vec(), false))).await;
}

#[tokio::test]
async fn a_server_that_never_knows_the_script_grants_nothing() {
    nothing_is_granted_by(|_| Some((b"-NOSCRIPT No matching script.\r\n".to_vec(), false))).await;
}

#[tokio::test]
async fn an_answer_of_another_shape_grants_nothing() {
    for answer in [
        array(&[]),
        array(&[1]),
        array(&[1, 0, 1]),
        // More than was asked for, less than nothing, a wait that is none.
        array(&[2, 0]),
        array(&[-1, 0]),
        array(&[1, -1]),
        b"+OK\r\n".to_vec(),
        b"$-1\r\n".to_vec(),
        b"*2\r\n$5\r\nhello\r\n*0\r\n".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ] {
        nothing_is_granted_by(move |_| Some((answer.clone(), false))).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_in_an_answer_grants_nothing() {
    nothing_is_granted_by(|_| Some((b"*2\r\n:1\r".to_vec(), true))).await;
    nothing_is_granted_by(|_| Some((Vec::new(), true))).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_grants_nothing() {
    nothing_is_granted_by(|_| None).await;
}

#[test]
fn an_address_that_is_none_is_refused_and_its_password_is_not_told() {
    for url in [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1/",
        "rediss://:secret@127.0.0.1/",
        "redis://:secret@127.0.0.1:99999999/",
    ] {
        let refused = Settings::at(url).expect_err(url).to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
    let settings = Settings::at("redis://:secret@127.0.0.1/").unwrap();
    assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
    for prefix in ["", "a:b", "a b", "a*", &"x".repeat(65)] {
        assert!(settings.clone().prefix(prefix).is_err(), "{prefix}");
    }
}

/// A server that takes a while is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_server_is_asked_and_waited_for() {
    let hostile = Hostile::start(|command| {
        std::thread::sleep(Duration::from_millis(5));
        let wanted = std::str::from_utf8(command.last().unwrap()).unwrap().parse().unwrap();
        Some((array(&[wanted, 0]), false))
    })
    .await;
    let redis = Redis::start(settings(&hostile.url()));
    redis.ready().await;
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1_000, 100)).unwrap();
    let mut admitted = 0;
    for _ in 0..20 {
        admitted += usize::from(limit.check(&"ada".to_owned()).await.is_ok());
    }
    // A busy machine may have missed an answer.
    assert!(admitted > 10 || redis.outages() > 0, "{admitted}");
    assert!(hostile.asked() < 20);
}

/// What comes too late is for nobody, and not for the next question either.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_comes_too_late_is_for_nobody() {
    nothing_is_granted_by(|_| {
        std::thread::sleep(Duration::from_millis(100));
        Some((array(&[1, 0]), false))
    })
    .await;
}

/// What others wrote under our keys is overwritten.
#[tokio::test]
async fn a_key_of_another_type_is_healed() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1, 10)).unwrap();
    let key = "ada".to_owned();
    assert_eq!(decided(&limit, &key).await, Ok(()));
    let names: Vec<String> = server.run("KEYS *").await;
    let name = &names[0];
    for spoils in ["RPUSH {} a", "SET {} nonsense", "SET {} 99999999999999999999999999999999_5", "HSET {} a b"] {
        let () = server.run(&format!("DEL {name}")).await;
        let _: redis::Value = server.run(&spoils.replace("{}", name)).await;
        // Another machine, which knows nothing.
        let other: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1, 10)).unwrap();
        let mut admitted = 0;
        for _ in 0..20 {
            admitted += usize::from(decided(&other, &key).await.is_ok());
        }
        // A time far away is one at which the quota is used up, and no more: it grows from then on.
        let most = if spoils.contains("999") { 0..=2 } else { 10..=12 };
        assert!(most.contains(&admitted), "{spoils}: {admitted}");
    }
}

/// Made-up keys fill neither this machine nor the queue: what finds no room is decided here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_keys_are_bounded() {
    let server = Server::start().await;
    let redis = Redis::start(settings(&server.url()).queue(16));
    redis.ready().await;
    let limit = Arc::new(Limit::<LocalShare>::new(&redis, "by_key", quota(1_000, 3)).unwrap().keys(64).waiting(32));
    let floods: Vec<_> = (0..64)
        .map(|flood| {
            let limit = Arc::clone(&limit);
            tokio::spawn(async move {
                for key in 0..100 {
                    // A machine's own share is one request.
                    let _ = limit.check(&format!("{flood} {key}")).await;
                }
            })
        })
        .collect();
    for flood in floods {
        flood.await.unwrap();
    }
    assert!(limit.forgotten() > 0);
    // Those of the server are gone as soon as their quotas are full.
    let until = Instant::now() + Duration::from_secs(20);
    while server.run::<u64>("DBSIZE").await > 0 {
        assert!(Instant::now() < until, "the keys stay");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Who has waited for an answer on a connection that broke meanwhile says nothing about the next one.
#[tokio::test]
async fn a_late_failure_breaks_no_connection_that_was_made_since() {
    let server = Hostile::start(|_| None).await;
    let redis = machine(&server.url()).await;
    let nightly = Exclusive::new(&redis, "nightly", Duration::from_secs(10)).unwrap();
    let asks = tokio::spawn(async move { nightly.acquire().await });
    let until = Instant::now() + Duration::from_secs(20);
    while server.asked() == 0 {
        assert!(Instant::now() < until, "it does not ask");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(1, 10)).unwrap();
    assert_eq!(limit.check(&"ada".to_owned()).await, Err(Limited::Away));
    assert!(!asks.is_finished(), "it waits for longer than a request does");
    while redis.outages() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    up(&redis).await;
    assert!(asks.await.unwrap().is_err());
    // The task behind it has its turn, and hears of nothing.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!((redis.outages(), redis.is_up()), (1, true));
}
