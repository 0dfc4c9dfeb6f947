//! Where requests go, and what becomes of them when upstreams are slow.

use std::time::Duration;

use http::StatusCode;

use processes::nginx::Nginx;
use processes::within;

use crate::Edge;

#[tokio::test]
async fn by_the_path() {
    let (stable, files) = (Nginx::start("stable").await, Nginx::start("files").await);
    let edge = Edge::start(&[&stable], &[&stable], &[&files], &["--max-body", "1000"]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    let client = edge.client();

    let page = client.get("/static/page.txt", &[]).await;
    assert_eq!(
        (page.status, page.header("x-served-by"), page.text.as_str()),
        (StatusCode::OK, Some("files"), "a page\n")
    );
    assert_eq!(client.get("/static/nothing", &[]).await.status, StatusCode::NOT_FOUND);

    let user = client.get("/api/v1/users/7", &[]).await;
    assert_eq!((user.status, user.header("x-served-by")), (StatusCode::OK, Some("stable")));
    assert_eq!(user.text, "stable GET /api/v1/users/7\n");
    let posted = client.ask("POST", "/api/v2/users", &[], "x".repeat(1000)).await;
    assert_eq!((posted.status, posted.text.as_str()), (StatusCode::OK, "stable POST /api/v2/users\n"));

    let large = client.ask("POST", "/api/v1/users", &[], "x".repeat(1001)).await;
    assert_eq!((large.status, large.header("x-served-by")), (StatusCode::PAYLOAD_TOO_LARGE, None));
    let version = client.get("/api/v3/users", &[]).await;
    assert_eq!((version.status, version.header("x-served-by")), (StatusCode::NOT_FOUND, None));
    assert_eq!(version.text, "there is no version 3 of the API; there are 1 and 2\n");
    assert_eq!(client.get("/elsewhere", &[]).await.status, StatusCode::NOT_FOUND);
}

/// The shorter deadline is one try's; the time that is left is passed on; what is meant for one connection is not.
#[tokio::test]
async fn what_an_upstream_is_told() {
    let stable = Nginx::start("stable").await;
    let edge = Edge::start(&[&stable], &[&stable], &[&stable], &["--deadline", "20s", "--attempt", "10s"]).await;
    let fields = [("connection", "keep-alive, x-mine"), ("x-mine", "1")];
    let answer = edge.client().ask("GET", "/api/v1/headers", &fields, "").await;
    let words: Vec<&str> = answer.text.trim_end().split(' ').collect();
    let left: u64 = words[0].parse().expect("a number of milliseconds");
    assert!((1..=10_000).contains(&left), "{left}");
    assert_eq!(words[1..], [stable.address.to_string().as_str()]);
}

/// A try that takes too long is given up and tried again, within the deadline of the whole; only if it may be sent twice.
#[tokio::test]
async fn a_slow_upstream_is_tried_again() {
    let stable = Nginx::start("stable").await;
    let edge = Edge::start(&[&stable], &[&stable], &[&stable], &["--deadline", "30s", "--attempt", "300ms"]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    let client = edge.client();

    let got = client.get("/api/v1/slow", &[]).await;
    assert_eq!((got.status, got.header("x-served-by")), (StatusCode::GATEWAY_TIMEOUT, None));
    let tries = async |method: &str, wanted: usize| {
        within("nginx's lines", async {
            while stable.slow_requests().iter().filter(|line| line.starts_with(method)).count() < wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    };
    tries("GET", 3).await;
    let posted = client.ask("POST", "/api/v1/slow", &[], "once").await;
    assert_eq!((posted.status, posted.header("x-served-by")), (StatusCode::GATEWAY_TIMEOUT, None));
    tries("POST", 1).await;
    let lines = stable.slow_requests();
    assert_eq!(lines.iter().filter(|line| line.starts_with("GET")).count(), 3, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 1, "{lines:?}");
}

/// The deadline of the whole ends the tries, however many there could still be.
#[tokio::test]
async fn the_whole_request_has_a_deadline() {
    let stable = Nginx::start("stable").await;
    let edge = Edge::start(&[&stable], &[&stable], &[&stable], &["--deadline", "400ms", "--attempt", "20s"]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    assert_eq!(edge.client().get("/api/v1/slow", &[]).await.status, StatusCode::GATEWAY_TIMEOUT);
    // Without the time for a try there is none: the first one was the only one.
    within("nginx's line", async {
        while stable.slow_requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(stable.slow_requests().len(), 1);
}
