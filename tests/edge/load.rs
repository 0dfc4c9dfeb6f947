//! Under load: the canary's share, and upstreams that die and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use processes::nginx::Nginx;
use processes::within;
use tokio::task::JoinSet;

use crate::Edge;

/// Clients in the canary, of so many.
async fn canaries(edge: &Edge, clients: usize) -> BTreeSet<usize> {
    let mut tasks = JoinSet::new();
    for share in 0..8 {
        let client = edge.client();
        tasks.spawn(async move {
            let mut canaries = Vec::new();
            for id in (share..clients).step_by(8) {
                let answer = client.get("/api/v1/users", &[("x-client-id", &format!("client-{id}"))]).await;
                assert_eq!(answer.status, StatusCode::OK);
                // What the edge says, and what the upstream does.
                let group = answer.header("x-served-by").expect("a group").to_owned();
                assert!(answer.text.starts_with(&group), "{group}: {}", answer.text);
                if group == "canary" {
                    canaries.push(id);
                }
            }
            canaries
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// 5 % of 4,000 clients: 200, give or take five standard deviations of 13.8. The same ones each time.
#[tokio::test]
async fn a_canary_has_its_share() {
    let (stable, canary) = (Nginx::start("stable").await, Nginx::start("canary").await);
    let edge = Edge::start(&[&stable], &[&canary], &[&stable], &[]).await;
    let first = canaries(&edge, 4000).await;
    assert!((131..=269).contains(&first.len()), "{}", first.len());
    let again = canaries(&edge, 400).await;
    assert_eq!(again, first.range(..400).copied().collect());
    edge.operate("PUT", "/toggles/canary/off").await;
    assert_eq!(canaries(&edge, 400).await, BTreeSet::new());
    edge.operate("PUT", "/toggles/canary/on").await;
    assert_eq!(canaries(&edge, 400).await, again);
}

/// What a client of [`upstreams_die_and_come_back`] was told.
#[derive(Default)]
struct Told {
    /// By method and status.
    replies: BTreeMap<(&'static str, u16), usize>,
    upstreams: BTreeMap<String, usize>,
}

/// Two upstreams; each is killed where it stands and brought back, under load. What may be sent twice is answered as if nothing
/// had been; the rest is answered, if only by what went wrong.
#[tokio::test]
async fn upstreams_die_and_come_back() {
    let (mut one, mut other) = (Nginx::start("stable").await, Nginx::start("stable").await);
    let edge = Edge::start(&[&one, &other], &[&one], &[&one], &["--deadline", "20s", "--attempt", "10s"]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for number in 0..8 {
        let (client, stop, done) = (edge.client(), Arc::clone(&stop), Arc::clone(&done));
        clients.spawn(async move {
            let mut told = Told::default();
            while !stop.load(Ordering::Relaxed) {
                let method = if number % 4 == 3 { "POST" } else { "GET" };
                let answer = client.ask(method, "/api/v1/users", &[], "").await;
                *told.replies.entry((method, answer.status.as_u16())).or_default() += 1;
                if let Some(upstream) = answer.header("x-upstream") {
                    *told.upstreams.entry(upstream.to_owned()).or_default() += 1;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            told
        });
    }
    let more = async |requests: usize| {
        let wanted = done.load(Ordering::Relaxed) + requests;
        within("replies", async {
            while done.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    };
    for _ in 0..2 {
        for upstream in [&mut one, &mut other] {
            more(300).await;
            upstream.kill().await;
            more(300).await;
            upstream.restart().await;
            // Until it is asked again, it rests.
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
    }
    more(300).await;
    stop.store(true, Ordering::Relaxed);
    let (mut replies, mut upstreams) = (BTreeMap::new(), BTreeMap::new());
    for told in clients.join_all().await {
        told.replies.into_iter().for_each(|(kind, count)| *replies.entry(kind).or_insert(0) += count);
        told.upstreams.into_iter().for_each(|(at, count)| *upstreams.entry(at).or_insert(0) += count);
    }
    println!("{replies:?} {upstreams:?}");
    let lost: Vec<_> = replies.keys().filter(|kind| !matches!(kind, (_, 200) | ("POST", 502))).collect();
    assert!(lost.is_empty(), "{replies:?}");
    assert!(replies[&("POST", 200)] > 100, "{replies:?}");
    // Both came back: with one of them alone from its death on, the other would have nearly all.
    assert_eq!(upstreams.len(), 2);
    assert!(upstreams.values().all(|count| *count > 300), "{upstreams:?}");
    // Alive still, and what is asked now goes to both.
    let asked: BTreeSet<_> = within("replies of both", async {
        let client = edge.client();
        let mut asked = BTreeSet::new();
        while asked.len() < 2 {
            asked.extend(client.get("/api/v1/users", &[]).await.header("x-upstream").map(str::to_owned));
        }
        asked
    })
    .await;
    assert_eq!(asked, upstreams.into_keys().collect());
}
