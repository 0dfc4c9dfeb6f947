//! The operator's address. The package `tests/page` tests its page in a browser.

use std::net::SocketAddr;

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use processes::client::{Answer, Client, Raw, piece, read};
use processes::upstream::{self, empty, full};
use processes::within;

use crate::process::{AsAlice as _, Gateway, file};

async fn gateway(flags: &[&str]) -> (Gateway, SocketAddr) {
    let upstream = upstream::start(async |_| Ok(http::Response::new(full("hello")))).await;
    let gateway = Gateway::start(&[upstream], flags).await;
    let admin = gateway.admin.expect("it is printed");
    (gateway, admin)
}

async fn post(admin: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    read(admin.send(admin.request(Method::POST, path, fields, empty())).await.expect("a reply")).await
}

#[tokio::test]
async fn it_has_a_page_health_metrics_and_profiles() {
    let (gateway, admin) = gateway(&[]).await;
    assert!(admin.ip().is_loopback());
    let (client, admin) = (Client::new(gateway.address), Client::new(admin));
    for _ in 0..3 {
        assert_eq!(client.get_as_alice("/secret-path?secret-query").await.status, StatusCode::OK);
    }
    let page = admin.get("/", &[]).await;
    assert!(page.text.starts_with("<!doctype html>"));
    for (name, value) in
        [("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"), ("x-frame-options", "DENY")]
    {
        assert_eq!(page.header(name), Some(value));
    }
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    for (path, has) in [
        ("/healthz", "alive"),
        ("/readyz", "ready"),
        ("/metrics", "chain_runs_started_total{chain=\"Gateway\"} 3"),
        ("/flame.svg", "<svg"),
        ("/flame.svg?of=bytes", "proxy"),
        ("/pprof", "proxy"),
    ] {
        let reply = admin.get(path, &[]).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert!(reply.text.contains(has), "{path}: {}", reply.text);
        assert!(!reply.text.contains("secret"), "nothing of a request is in it");
    }
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        let head = read(admin.send(admin.request(Method::HEAD, path, &[], empty())).await.expect("a reply")).await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""), "{path}");
        assert!(head.header("content-type").is_some());
    }
    let metrics = admin.get("/metrics", &[("accept", "application/openmetrics-text; version=1.0.0")]).await;
    assert!(metrics.text.ends_with("# EOF\n"));
    for path in ["/nothing", "/flame.svg?of=nothing", "/toggles/ratelimit/off"] {
        assert_eq!(admin.get(path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // Who asks the gateway itself finds none of it.
    assert_eq!(client.get("/metrics", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn it_is_off_where_the_operator_says_so() {
    let gateway = Gateway::start_with(&["--admin", "off"]).await;
    assert_eq!(gateway.admin, None);
    assert!(!gateway.seen().iter().any(|line| line.starts_with("admin")));
}

/// Whether a thread of the process watches the machine for the meter.
#[cfg(target_os = "linux")]
fn is_watching(gateway: &Gateway) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", gateway.id())).expect("it runs").flatten();
    let mut names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.trim() == "chain-pauses")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_measured_where_nobody_can_look() {
    let can_be_watched = std::fs::read_to_string("/proc/pressure/cpu").is_ok();
    for (flags, watches) in [(&[][..], can_be_watched), (&["--admin", "off"][..], false)] {
        let upstream = upstream::start(async |_| Ok(http::Response::new(full("hello")))).await;
        let gateway = Gateway::start(&[upstream], flags).await;
        assert_eq!(Client::new(gateway.address).get_as_alice("/").await.status, StatusCode::OK);
        assert_eq!(is_watching(&gateway), watches, "{flags:?}");
    }
}

#[tokio::test]
async fn a_toggle_is_switched_for_the_requests_from_then_on() {
    let (gateway, admin) = gateway(&["--rate", "1", "--burst", "1"]).await;
    let (client, admin) = (Client::new(gateway.address), Client::new(admin));
    while client.get_as_alice("/").await.status != StatusCode::TOO_MANY_REQUESTS {}
    let switched = post(&admin, "/toggles/ratelimit/off", &[]).await;
    assert_eq!(
        (switched.status, switched.text.as_str()),
        (StatusCode::OK, "traces: off, failures: on, ratelimit: off\n")
    );
    for _ in 0..5 {
        assert_eq!(client.get_as_alice("/").await.status, StatusCode::OK);
    }
    assert_eq!(post(&admin, "/toggles/ratelimit/on", &[]).await.text, "traces: off, failures: on, ratelimit: on\n");
    while client.get_as_alice("/").await.status != StatusCode::TOO_MANY_REQUESTS {}
    let unknown = post(&admin, "/toggles/no%20such/on", &[]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text.starts_with("there is no toggle `no such`"), "{}", unknown.text);
}

#[tokio::test]
async fn another_site_in_the_operators_browser_neither_switches_nor_reads() {
    let (_gateway, at) = gateway(&[]).await;
    let admin = Client::new(at);
    let (own, own_by_tls, other_port) =
        (format!("http://{at}"), format!("https://{at}"), format!("http://{}:1", at.ip()));
    for (fields, status) in [
        // No browser.
        (&[][..], StatusCode::OK),
        (&[("origin", own.as_str()), ("sec-fetch-site", "same-origin")], StatusCode::OK),
        // A server before it speaks TLS.
        (&[("origin", own_by_tls.as_str()), ("sec-fetch-site", "same-origin")], StatusCode::OK),
        (&[("origin", "https://evil.example")], StatusCode::FORBIDDEN),
        (&[("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], StatusCode::FORBIDDEN),
        (&[("sec-fetch-site", "same-site")], StatusCode::FORBIDDEN),
        // A browser that is too old to say more; a page that hides where it is from; another server on this machine.
        (&[("origin", "http://evil.example")], StatusCode::FORBIDDEN),
        (&[("origin", "null")], StatusCode::FORBIDDEN),
        (&[("origin", other_port.as_str())], StatusCode::FORBIDDEN),
    ] {
        assert_eq!(post(&admin, "/toggles/ratelimit/on", fields).await.status, status, "{fields:?}");
        assert_eq!(post(&admin, "/kept/forget", fields).await.status, status, "{fields:?}");
    }
    let from_elsewhere = ("sec-fetch-site", "cross-site");
    assert_eq!(
        admin.get("/metrics", &[from_elsewhere, ("sec-fetch-mode", "no-cors")]).await.status,
        StatusCode::FORBIDDEN
    );
    let leads = [from_elsewhere, ("sec-fetch-mode", "navigate")];
    for (to, status) in
        [("document", StatusCode::OK), ("iframe", StatusCode::FORBIDDEN), ("embed", StatusCode::FORBIDDEN)]
    {
        assert_eq!(admin.get("/", &[&leads[..], &[("sec-fetch-dest", to)]].concat()).await.status, status, "{to}");
    }
    assert_eq!(admin.get("/", &leads).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_that_another_site_may_let_point_here_is_refused() {
    let (_gateway, at) = gateway(&[]).await;
    for (hosts, status) in [
        ("Host: 127.0.0.1\r\n", 200),
        ("Host: localhost:1234\r\n", 200),
        ("Host: LocalHost\r\n", 200),
        ("Host: [::1]:9\r\n", 200),
        ("Host: evil.example\r\n", 421),
        ("Host: localhost.evil.example\r\n", 421),
        ("Host: 127.0.0.1.evil.example\r\n", 421),
        ("Host: localhost\r\nHost: evil.example\r\n", 421),
        ("Host: \r\n", 421),
        ("", 421),
    ] {
        let mut raw = Raw::connect(at).await;
        raw.send(format!("GET /metrics HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
        let reply = raw.read_to_end().await;
        // Some of these are no HTTP, which says so itself.
        let is_it = reply.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(is_it || (status == 421 && reply.starts_with("HTTP/1.1 400")), "{hosts:?}: {reply:.80}");
    }
}

#[tokio::test]
async fn where_there_is_a_token_everybody_needs_it_but_for_health() {
    let token = file("token", b"a-token-of-24-characters\n");
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let (_gateway, at) = gateway(&["--admin", address, "--admin-token-file", &token]).await;
        let admin = Client::new(SocketAddr::from(([127, 0, 0, 1], at.port())));
        // `any:a-token-of-24-characters`, and the same with other words.
        let (basic, wrong) = ("Basic YW55OmEtdG9rZW4tb2YtMjQtY2hhcmFjdGVycw==", "Basic YW55Om5vdC1pdA==");
        for (said, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("Bearer a-token-of-24-characters"), StatusCode::OK),
            (Some(basic), StatusCode::OK),
            (Some(wrong), StatusCode::UNAUTHORIZED),
            (Some("Bearer a-token-of-24-character"), StatusCode::UNAUTHORIZED),
            (Some("Bearer"), StatusCode::UNAUTHORIZED),
            (Some("Basic %%%"), StatusCode::UNAUTHORIZED),
            (Some("Digest a-token-of-24-characters"), StatusCode::UNAUTHORIZED),
        ] {
            let fields: Vec<_> = said.iter().map(|said| ("authorization", *said)).collect();
            for path in ["/", "/metrics", "/nothing"] {
                let reply = admin.get(path, &fields).await;
                let expected =
                    if path == "/nothing" && status == StatusCode::OK { StatusCode::NOT_FOUND } else { status };
                assert_eq!(reply.status, expected, "{path} {said:?}");
                if status == StatusCode::UNAUTHORIZED {
                    assert!(reply.header("www-authenticate").is_some_and(|asks| asks.starts_with("Basic ")));
                    assert!(reply.text.contains("--admin-token-file"), "it says what is needed");
                }
            }
            assert_eq!(post(&admin, "/toggles/ratelimit/on", &fields).await.status, status, "{said:?}");
            assert_eq!(admin.get("/healthz", &fields).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn it_is_not_ready_once_it_stops_and_lives_until_it_has() {
    let upstream = upstream::start(async |_| std::future::pending().await).await;
    let gateway = Gateway::start(&[upstream], &["--grace", "20s"]).await;
    let (client, admin) = (Client::new(gateway.address), Client::new(gateway.admin.expect("it is printed")));
    let asking = tokio::spawn(async move { client.get_as_alice("/").await.status });
    within("a request in flight", async {
        while !admin.get("/metrics", &[]).await.text.contains("chain_runs_in_flight{chain=\"Gateway\"} 1") {}
    })
    .await;
    assert_eq!(admin.get("/readyz", &[]).await.status, StatusCode::OK);
    gateway.signal("TERM").await;
    within("a change", async { while admin.get("/readyz", &[]).await.status != StatusCode::SERVICE_UNAVAILABLE {} })
        .await;
    assert_eq!(admin.get("/healthz", &[]).await.status, StatusCode::OK);
    asking.abort();
}

/// Begins to look.
async fn looks(admin: &Client) -> Result<Incoming, StatusCode> {
    let reply = admin.send(admin.request(Method::GET, "/events", &[], empty())).await.expect("a reply");
    if reply.status() == StatusCode::OK { Ok(reply.into_body()) } else { Err(reply.status()) }
}

#[tokio::test]
async fn sixteen_may_look_at_once_and_who_goes_makes_room() {
    let (_gateway, at) = gateway(&[]).await;
    let admin = Client::new(at);
    let mut all = Vec::new();
    for _ in 0..16 {
        all.push(looks(&admin).await.expect("a place"));
    }
    assert_eq!(looks(&admin).await.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
    // Each is told the chain first, and then how things stand.
    for events in &mut all {
        let first = piece(events).await.expect("an event");
        assert!(first.starts_with(b"event: chain\ndata: {\"name\":\"Gateway\""), "{first:?}");
        let next = piece(events).await.expect("an event");
        assert!(next.starts_with(b"event: toggles\n"), "{next:?}");
    }
    all.pop();
    within("a place", async { while looks(&admin).await.is_err() {} }).await;
}

#[tokio::test]
async fn who_does_not_read_is_dropped() {
    let (_gateway, at) = gateway(&[]).await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    let mut stuck = within("a connection", socket.connect(at)).await.expect("a connection");
    let request = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    within("room", tokio::io::AsyncWriteExt::write_all(&mut stuck, request)).await.expect("a request");
    // Who comes is told at once, and so are all others: enough for the buffers to be full.
    let admin = Client::new(at);
    let mut places = Vec::new();
    within("an end", async {
        loop {
            while places.len() < 15 {
                let Ok(mut events) = looks(&admin).await else { break };
                piece(&mut events).await.expect("an event");
                piece(&mut events).await.expect("an event");
                places.push(events);
            }
            // All sixteen places are taken for as long as the one that is stuck has one.
            if places.len() == 15
                && let Ok(events) = looks(&admin).await
            {
                drop(events.boxed());
                return;
            }
            places.clear();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
}
