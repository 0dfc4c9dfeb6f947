//! Limits that several gateways share, by a real Redis.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{Quota, Trouble};
use chain_shared_tests::Server;
use processes::client::Client;
use processes::within;
use tokio::time::sleep;

use crate::groups::named;
use crate::process::{ALICE, Gateway, file};

#[tokio::test]
async fn two_gateways_let_through_what_one_would_and_go_on_without_redis() {
    let mut redis = Server::start().await;
    let target = format!("http://{}", named("one").await);
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let url = redis.url();
    let start = async |away| {
        let flags = ["--redis", &url, "--gateways", "2", "--rate", "1", "--burst", "10", "--redis-away", away];
        Gateway::start_with(&[&flags[..], &["--upstream", &target, "--api-keys-file", &keys]].concat()).await
    };
    let gateways = [start("closed").await, start("closed").await];
    assert!(gateways[0].seen().iter().any(|line| line.starts_with("each user, at all gateways together: ")));
    let mut let_through = 0;
    for turn in 0..40 {
        let client = Client::new(gateways[turn % 2].address);
        let_through += usize::from(client.get("/", &[("x-api-key", ALICE)]).await.status == 200);
    }
    // Some more grow while forty are asked; each alone would have let ten through.
    assert!((10..18).contains(&let_through), "{let_through}");

    redis.kill();
    let client = Client::new(gateways[0].address);
    let status = client.get("/", &[("x-api-key", ALICE)]).await.status;
    assert!(status == 503 || status == 429, "{status}");
}

/// Redis is stopped, emptied, killed and started anew under load: no client hears of it, and no more is let through than is said at the start.
#[tokio::test]
async fn three_gateways_answer_all_and_keep_their_bound_whatever_becomes_of_redis() {
    let mut redis = Server::start().await;
    let target = format!("http://{}", named("one").await);
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let url = redis.url();
    let flags = ["--redis", &url, "--gateways", "3", "--rate", "200", "--burst", "30", "--redis-away", "share"];
    let flags = [&flags[..], &["--upstream", &target, "--api-keys-file", &keys]].concat();
    let mut gateways = Vec::new();
    for _ in 0..3 {
        gateways.push(Gateway::start_with(&flags).await);
    }
    let (began, is_over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let clients = [0, 1, 2, 0, 1, 2].map(|gateway| {
        let (client, is_over) = (Client::new(gateways[gateway].address), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut let_through = 0;
            while !is_over.load(Relaxed) {
                match client.get("/", &[("x-api-key", ALICE)]).await.status.as_u16() {
                    200 => let_through += 1,
                    429 => {}
                    other => panic!("a request was lost: {other}"),
                }
            }
            let_through
        })
    });
    let a_while = || sleep(Duration::from_millis(700));
    a_while().await;
    redis.stop();
    a_while().await;
    redis.go_on();
    a_while().await;
    redis.run::<()>("FLUSHALL").await;
    a_while().await;
    redis.kill();
    a_while().await;
    redis.restart().await;
    a_while().await;
    is_over.store(true, Relaxed);
    let mut let_through = 0;
    for client in clients {
        let_through += within("a client's last reply", client).await.expect("no request was lost");
    }
    let number = |number| NonZeroU32::new(number).expect("not 0");
    let bound = Quota::per_second(number(200), number(3)).burst(number(30)).bound();
    // A gateway that waits for a core may miss Redis' answer in time, and is on its own then.
    let trouble = Trouble { emptied: 2, outages: 2, cut_off: Duration::from_secs(3) };
    let most = bound.admitted_in_trouble(began.elapsed(), trouble);
    assert!((400..=most).contains(&let_through), "{let_through} of {most} at most");
}

#[tokio::test]
async fn the_log_says_when_redis_is_away_and_when_it_is_back() {
    let mut redis = Server::start().await;
    let url = redis.url();
    let flags = ["--redis", &url, "--redis-away", "closed"];
    let mut before = Gateway::start(&[named("one").await], &flags).await;
    let shows = async |gateway: &Gateway, line: &str| {
        let admin = Client::new(gateway.admin.expect("an admin address"));
        within(line, async {
            loop {
                let shown = admin.get("/metrics", &[]).await.text;
                if shown.contains(line) {
                    return shown;
                }
            }
        })
        .await
    };
    // It has to be up before it can go away. A request alone does not show that: it may be answered without Redis.
    shows(&before, "chain_redis_up 1").await;
    redis.kill();
    before.said(&[" WARN Redis is away: ", "; users' requests are refused meanwhile"]).await;
    // One that never was there is away as well.
    let mut after = Gateway::start(&[named("one").await], &["--redis", &url]).await;
    after.said(&[" WARN Redis is away: ", "this gateway's share of the rate meanwhile"]).await;
    let shown = shows(&before, "chain_redis_up 0").await;
    assert!(!shown.contains("chain_redis_outages_total 0\n"), "{shown}");
    redis.restart().await;
    for gateway in [&mut before, &mut after] {
        gateway.line(&[" INFO Redis is back after ", " s"]).await;
        shows(gateway, "chain_redis_up 1").await;
    }
}
