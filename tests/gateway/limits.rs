//! Limits of size, rate and time; and upstreams that do not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use processes::client::{Client, Raw, read};
use processes::upstream::{self, Gone, empty, full, mirror, nobody, pieces};
use processes::within;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::groups::held;
use crate::process::{ALICE, AsAlice as _, BOB, Gateway};

#[tokio::test]
async fn each_user_has_a_quota_of_their_own() {
    // One request an hour would do as well: the quota must not fill up while the test runs.
    let gateway = Gateway::start(&[mirror().await], &["--rate", "1", "--burst", "3"]).await;
    let client = Client::new(gateway.address);
    let mut refused = None;
    for _ in 0..100 {
        let answer = client.get_as_alice("/").await;
        if answer.status != StatusCode::OK {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a hundred requests are too many");
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let again: u64 = refused.header("retry-after").and_then(|text| text.parse().ok()).expect("Retry-After");
    assert_eq!(again, 1);
    assert_eq!(client.get("/", &[("x-api-key", BOB)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_upstream_that_refuses_is_a_502() {
    let gateway = Gateway::start(&[nobody()], &[]).await;
    let answer = Client::new(gateway.address).get_as_alice("/").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn an_upstream_that_breaks_off_before_its_reply_is_a_502() {
    let upstream = upstream::start(async |_| Err(Gone)).await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    let client = Client::new(gateway.address);
    assert_eq!(client.get_as_alice("/").await.status, StatusCode::BAD_GATEWAY);
    gateway.line(&["status=502", "by=\"gateway\"", "outcome=\"done\""]).await;
}

#[tokio::test]
async fn an_upstream_that_speaks_something_else_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example ESMTP\r\n").await;
        }
    });
    let gateway = Gateway::start(&[address], &[]).await;
    assert_eq!(Client::new(gateway.address).get_as_alice("/").await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn an_upstream_that_is_silent_is_a_504() {
    let upstream = upstream::start(async |_| std::future::pending().await).await;
    let gateway = Gateway::start(&[upstream], &["--timeout", "100ms"]).await;
    let answer = Client::new(gateway.address).get_as_alice("/").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_its_body_is_a_408() {
    let upstream = upstream::start(async |request| {
        let _ = request.into_body().collect().await;
        Ok(Response::new(empty()))
    })
    .await;
    let gateway = Gateway::start(&[upstream], &["--timeout", "100ms"]).await;
    let (mut sender, body) = pieces();
    sender.send_data(Bytes::from_static(b"some")).await.expect("room");
    let reply = Client::new(gateway.address).post_as_alice("/", body).await.expect("a reply");
    assert_eq!(reply.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_a_413_at_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let upstream = upstream::start({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Ok(Response::new(empty())) }
        }
    })
    .await;
    let gateway = Gateway::start(&[upstream], &["--max-body", "1k"]).await;
    let mut raw = Raw::connect(gateway.address).await;
    let head = |size| format!("POST / HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\ncontent-length: {size}\r\n\r\n");
    // None of the body is sent: the reply does not wait for it.
    raw.send(head(1025)).await;
    assert!(raw.read_to("\r\n").await.contains(" 413 "));
    assert_eq!(asked.load(Ordering::Relaxed), 0, "the upstream was not asked");

    let mut raw = Raw::connect(gateway.address).await;
    raw.send(head(1024)).await;
    raw.send([b'x'; 1024]).await;
    assert!(raw.read_to("\r\n").await.contains(" 200 "));
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_a_413() {
    let upstream = upstream::start(async |request| {
        request.into_body().collect().await.map_err(|_| Gone)?;
        Ok(Response::new(empty()))
    })
    .await;
    let gateway = Gateway::start(&[upstream], &["--max-body", "1k"]).await;
    for client in [Client::new(gateway.address), Client::h2c(gateway.address)] {
        for (sizes, status) in [(&[512, 512][..], StatusCode::OK), (&[512, 513], StatusCode::PAYLOAD_TOO_LARGE)] {
            let (mut sender, body) = pieces();
            let sending = async move {
                for &size in sizes {
                    let _ = sender.send_data(Bytes::from(vec![b'x'; size])).await;
                }
            };
            let (reply, ()) = tokio::join!(client.post_as_alice("/", body), sending);
            assert_eq!(reply.expect("a reply").status(), status);
        }
    }
}

/// Of thirty requests that wait, each has its part: who has least of two that are drawn is asked.
#[tokio::test]
async fn upstreams_take_turns() {
    let go = Arc::new(Semaphore::new(0));
    let (mut upstreams, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (address, counts) = held(&go).await;
        upstreams.push(address);
        asked.push(counts);
    }
    let gateway = Gateway::start(&upstreams, &[]).await;
    let client = Client::new(gateway.address);
    let mut clients = JoinSet::new();
    for _ in 0..30 {
        let client = client.clone();
        clients.spawn(async move { client.get_as_alice("/").await.status });
    }
    let counts = || asked.iter().map(|asked| asked.load(Ordering::Relaxed)).collect::<Vec<_>>();
    within("all requests", async {
        while counts().iter().sum::<usize>() < 30 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(counts().iter().all(|count| (5..=15).contains(count)), "{:?}", counts());
    go.close();
    assert!(clients.join_all().await.iter().all(|status| *status == StatusCode::OK));
}

#[tokio::test]
async fn connections_to_the_upstream_are_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let accepted = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let accepted = Arc::clone(&accepted);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let service = hyper::service::service_fn(async |_| Ok::<_, Gone>(Response::new(full("hello"))));
                let io = hyper_util::rt::TokioIo::new(stream);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        }
    });
    let mut gateway = Gateway::start(&[address], &[]).await;
    let client = Client::new(gateway.address);
    for _ in 0..20 {
        assert_eq!(client.get_as_alice("/").await.text, "hello");
        // The connection is back in the pool a moment after the reply has been read; the line is written later still.
        gateway.line(&["outcome=\"done\""]).await;
    }
    let connections = accepted.load(Ordering::Relaxed);
    assert!(connections < 20, "{connections} connections for 20 requests");
}

#[tokio::test]
async fn there_are_no_tunnels() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\nx-api-key: {ALICE}\r\n\r\n")).await;
    assert!(raw.read_to("\r\n").await.contains(" 501 "));
}

#[tokio::test]
async fn every_method_is_passed_on() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = client.request(method.clone(), "/a/b?c=d", &[("x-api-key", ALICE)], empty());
        let answer = read(client.send(request).await.expect("a reply")).await;
        assert!(answer.text.starts_with(&format!("{method} /a/b?c=d\n")), "{}", answer.text);
    }
    let head = client.request(Method::HEAD, "/", &[("x-api-key", ALICE)], empty());
    let head = within("a reply", client.send(head)).await.expect("a reply");
    assert_eq!(head.status(), StatusCode::OK);
}
