//! What limits do while Redis is stopped, killed, restarted or emptied.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{Closed, Limited, LocalShare, Open, SharedRateLimit, Trouble, WhenAway};
use chain_runtime::shared::Redis;
use chain_shared_tests::Server;

use crate::support::{Limit, Pace, Told, decided, load_all, machine, machines, quota, settings, up, worst};

/// So long nobody waits, on an idle machine a fifth of it. A busy one of tests may not run a task for longer than that.
const LONG: Duration = Duration::from_millis(500);

async fn is_down(redis: &Redis) {
    let until = Instant::now() + Duration::from_secs(30);
    while redis.is_up() {
        assert!(Instant::now() < until, "it is still up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn limit<A: WhenAway>(redis: &Redis, rate: u32, burst: u32) -> Limit<A> {
    SharedRateLimit::new(redis, "by_key", quota(rate, burst)).unwrap()
}

#[tokio::test]
async fn the_type_says_what_happens_while_redis_is_away() {
    let mut server = Server::start().await;
    let redis = machine(&server.url()).await;
    let (share, closed, open) =
        (limit::<LocalShare>(&redis, 1, 9), limit::<Closed>(&redis, 1, 9), limit::<Open>(&redis, 1, 9));
    server.kill();
    is_down(&redis).await;
    let key = "ada".to_owned();
    for asked in 0..20 {
        // A third of the quota, since there are three machines.
        assert_eq!(share.check(&key).await.is_ok(), asked < 3, "{asked}");
        assert_eq!(closed.check(&key).await, Err(Limited::Away));
        assert_eq!(open.check(&key).await, Ok(()));
    }
    assert_eq!((share.admitted_alone(), share.refused_alone()), (3, 17));
    assert!(
        matches!(share.check(&key).await, Err(Limited::TooMany(too_many)) if too_many.wait() <= Duration::from_secs(3))
    );

    server.restart().await;
    assert_eq!(decided(&closed, &key).await, Ok(()));
}

#[tokio::test]
async fn what_was_granted_is_good_also_while_redis_is_away() {
    let mut server = Server::start().await;
    let redis = machine(&server.url()).await;
    let quota = quota(1_000, 1_000).grants_live(Duration::from_secs(60));
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota).unwrap();
    let key = "ada".to_owned();
    for _ in 0..20 {
        assert_eq!(decided(&limit, &key).await, Ok(()));
    }
    server.kill();
    is_down(&redis).await;
    assert_eq!(limit.check(&key).await, Ok(()));
    assert_eq!(limit.admitted_alone(), 0);
}

/// A server that takes connections and answers nothing is the worst: nobody can know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_redis_keeps_nobody_waiting() {
    let server = Server::start().await;
    let redis = Redis::start(settings(&server.url()).patience(Duration::from_millis(20)));
    up(&redis).await;
    let strict = limit::<Closed>(&redis, 1_000, 100);
    let limit = Arc::new(limit::<Open>(&redis, 1_000, 100).waiting(8));
    server.stop();
    let key = "ada".to_owned();
    assert_eq!(strict.check(&key).await, Err(Limited::Away));
    is_down(&redis).await;
    server.go_on();
    // What had no answer is asked anew.
    assert_eq!(decided(&strict, &key).await, Ok(()));
    server.stop();
    let requests: Vec<_> = (0..200)
        .map(|request| {
            let limit = Arc::clone(&limit);
            tokio::spawn(async move {
                let began = Instant::now();
                let said = limit.check(&format!("key {request}")).await;
                (said, began.elapsed())
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for request in requests {
        let (said, took) = request.await.unwrap();
        assert_eq!(said, Ok(()));
        slowest = slowest.max(took);
    }
    println!("the slowest of 200 while Redis is stopped: {slowest:?}");
    assert!(slowest < LONG, "{slowest:?}");
    // Others did not wait, since eight did; and once one had no answer, nobody does.
    assert!(limit.waited() <= 8, "{}", limit.waited());
    is_down(&redis).await;
    let before = limit.asked();
    for request in 0..100 {
        assert_eq!(limit.check(&format!("later {request}")).await, Ok(()));
    }
    assert_eq!(limit.asked(), before);
    server.go_on();
    up(&redis).await;
}

/// Three machines under load, while this happens to Redis. All requests have an answer, and no time has more than the formula says.
///
/// The server says nothing for `silence`.
async fn three_machines_while(trouble: Trouble, silence: Duration, what: impl AsyncFnOnce(&mut Server)) {
    let mut server = Server::durable().await;
    let quota = quota(1_000, 60);
    let machines = machines::<LocalShare>(&server.url(), quota).await;
    let began = Instant::now();
    let pace = Pace::new(6, Duration::from_millis(4), Duration::from_secs(3));
    let loads = load_all(&machines, "ada", pace);
    let happens = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        what(&mut server).await;
    };
    let (told, ()) = tokio::join!(loads, happens);
    for (redis, _) in &machines {
        up(redis).await;
    }
    let alone: u64 = machines.iter().map(|(_, limit)| limit.admitted_alone()).sum();
    let bound = quota.bound();
    let over = worst(&bound, trouble, &told);
    // What the server granted, in all of the time in which it answered.
    let granted = told.admitted.len() as u64 - alone;
    let most = bound.admitted(began.elapsed() - silence) + u64::from(trouble.emptied + trouble.outages) * 60;
    assert!(granted <= most, "{granted} of {most}");
    println!(
        "{} of {} let through, {alone} by machines on their own, {over} over rate * t + burst, the slowest in {:?}",
        told.admitted.len(),
        told.all(),
        told.slowest,
    );
    check(&told);
}

fn check(told: &Told) {
    assert_eq!(told.away, 0);
    // A third of a second's quota would be there if each machine were cut off all the time.
    assert!(told.admitted.len() > 1_000, "{}", told.admitted.len());
    assert!(told.slowest < LONG, "{:?}", told.slowest);
}

/// A machine of tests may also be too busy to hear an answer in time, and then is on its own for a while that others are not.
const BUSY: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_redis_is_stopped_for_a_second() {
    let trouble = Trouble { emptied: 0, outages: 1, cut_off: BUSY };
    three_machines_while(trouble, Duration::from_secs(1), async |server| {
        server.stop();
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.go_on();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_redis_is_killed_and_started_anew() {
    let trouble = Trouble { emptied: 0, outages: 1, cut_off: BUSY };
    three_machines_while(trouble, Duration::from_millis(500), async |server| {
        server.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_redis_is_emptied() {
    let trouble = Trouble { emptied: 2, outages: 0, cut_off: BUSY };
    three_machines_while(trouble, Duration::ZERO, async |server| {
        for _ in 0..2 {
            let () = server.run("FLUSHALL").await;
            let () = server.run("SCRIPT FLUSH").await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
}

/// A machine's clock that jumps by ten seconds, either way, neither lets more through nor refuses for longer.
#[tokio::test]
async fn a_clock_that_jumps_changes_nothing_for_others() {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
    let server = Server::start().await;
    let (steady, jumping) = (machine(&server.url()).await, machine(&server.url()).await);
    let quota = quota(20, 40).grants_live(Duration::from_secs(2));
    let steady: Limit<Closed> = SharedRateLimit::new(&steady, "by_key", quota).unwrap();
    let (offset, since) = (Arc::new(AtomicI64::new(0)), Instant::now());
    let clock = {
        let offset = Arc::clone(&offset);
        move || {
            let hour = since + Duration::from_secs(3_600);
            hour.checked_add_signed(offset.load(Relaxed)) + since.elapsed()
        }
    };
    let jumping = SharedRateLimit::<String, Closed, _>::with_clock(&jumping, "by_key", quota, clock).unwrap();
    let key = "ada".to_owned();
    let began = Instant::now();
    let mut admitted = 0_u64;
    for round in 0..300 {
        // Ten seconds ahead, ten behind, and back.
        offset.store([0, 10, 0, -10][round / 20 % 4], Relaxed);
        admitted += u64::from(steady.check(&key).await.is_ok());
        admitted += u64::from(jumping.check(&key).await.is_ok());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let most = quota.bound().admitted(began.elapsed());
    assert!(admitted <= most, "{admitted} of {most}");
    // It is refused for no longer than others are: within a second it has a permit of those that grow meanwhile.
    let until = Instant::now() + Duration::from_secs(10);
    while jumping.check(&key).await.is_err() {
        assert!(Instant::now() < until, "refused for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

trait Shift {
    fn checked_add_signed(self, seconds: i64) -> Self;
}

impl Shift for Instant {
    fn checked_add_signed(self, seconds: i64) -> Self {
        let by = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self - by } else { self + by }
    }
}
