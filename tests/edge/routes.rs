//! Where requests go, and what happens to them when upstreams are slow.

use std::time::Duration;

use http::{Response, StatusCode};
use processes::nginx::Nginx;
use processes::upstream::{self, full, nobody};
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

/// Whoever was tried is not tried again while there is another; and what nobody saw may be sent again, whatever it is.
#[tokio::test]
async fn another_upstream_is_tried_than_the_one_that_failed() {
    let stable = Nginx::start("stable").await;
    let refuses = format!("http://{}", nobody());
    let fails = upstream::start(async |_| {
        let mut reply = Response::new(full("not now"));
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok(reply)
    })
    .await;
    for (method, other) in [("GET", refuses.clone()), ("POST", refuses), ("GET", format!("http://{fails}"))] {
        let edge = Edge::start(&[&stable], &[&stable], &[&stable], &["--stable", &other, "--deadline", "20s"]).await;
        edge.operate("PUT", "/toggles/canary/off").await;
        let client = edge.client();
        for turn in 0..30 {
            let answer = client.ask(method, "/api/v1/users", &[], "").await;
            assert_eq!(
                (answer.status, answer.header("x-served-by")),
                (StatusCode::OK, Some("stable")),
                "{turn} {other}"
            );
        }
    }
    // It may have done something, so it is not asked for the same again.
    let edge = Edge::start(&[], &[&stable], &[&stable], &["--stable", &format!("http://{fails}")]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    let answer = edge.client().ask("POST", "/api/v1/users", &[], "").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "not now"));
}

#[tokio::test]
async fn a_name_leads_to_upstreams_and_the_file_to_flags() {
    let stable = Nginx::start("stable").await;
    let file = processes::directory().join("edge.toml");
    let named = format!("http://localhost:{}*3", stable.address.port());
    std::fs::write(&file, format!("stable = '{named}'\nmax-body = '1k'\n")).expect("the file is written");
    let file = file.to_str().expect("text");
    let edge = Edge::start(&[], &[&stable], &[&stable], &["--config", file]).await;
    edge.operate("PUT", "/toggles/canary/off").await;
    let answer = edge.client().get("/api/v1/headers", &[]).await;
    assert!(answer.text.contains(&format!(" localhost:{} ", stable.address.port())), "{}", answer.text);
    assert!(edge.operate("GET", "/").await.text.contains(&format!("{}*3", stable.address)));
    let large = edge.client().ask("POST", "/api/v1/users", &[], "x".repeat(1025)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}
