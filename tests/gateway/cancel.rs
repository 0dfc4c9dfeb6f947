//! Requests that do not finish: the log says so, and the upstream is released.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use processes::client::{Client, Raw, piece};
use processes::upstream::{self, empty, pieces};
use processes::within;
use tokio::sync::mpsc;

use crate::process::{ALICE, AsAlice as _, Gateway};

/// Tells when it is dropped.
struct Told(mpsc::UnboundedSender<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send("let go");
    }
}

/// An upstream that never answers. It tells of each request, and of each that was let go.
async fn silent() -> (SocketAddr, mpsc::UnboundedReceiver<&'static str>) {
    let (tell, told) = mpsc::unbounded_channel();
    let address = upstream::start(move |_| {
        let _ = tell.send("asked");
        let told = Told(tell.clone());
        async move {
            let _told = told;
            std::future::pending().await
        }
    })
    .await;
    (address, told)
}

async fn hears(told: &mut mpsc::UnboundedReceiver<&'static str>, what: &str) {
    assert_eq!(within(what, told.recv()).await, Some(what));
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_waits_is_logged_as_cancelled() {
    let (upstream, mut told) = silent().await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("GET /waits HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
    hears(&mut told, "asked").await;
    drop(raw);
    let line = gateway.line(&["path=\"/waits\""]).await;
    assert!(line.contains("outcome=\"cancelled\"") && line.contains("user=\"alice\""), "{line}");
    hears(&mut told, "let go").await;
}

#[tokio::test]
async fn a_stream_that_is_reset_is_logged_as_cancelled() {
    let (upstream, mut told) = silent().await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    let client = Client::h2c(gateway.address);
    let request = client.request(Method::GET, "/waits", &[("x-api-key", ALICE)], empty());
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.send(request).await.map(|reply| reply.status()) }
    });
    hears(&mut told, "asked").await;
    asking.abort();
    gateway.line(&["path=\"/waits\"", "outcome=\"cancelled\""]).await;
    hears(&mut told, "let go").await;
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_the_reply_is_logged_as_cancelled() {
    let (tell, mut senders) = mpsc::unbounded_channel();
    let upstream = upstream::start(move |_| {
        let (sender, body) = pieces();
        let _ = tell.send(sender);
        async { Ok(Response::new(body)) }
    })
    .await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    for client in [Client::new(gateway.address), Client::h2c(gateway.address)] {
        let request = client.request(Method::GET, "/long", &[("x-api-key", ALICE)], empty());
        let mut body = client.send(request).await.expect("a reply").into_body();
        let mut sender = within("a request", senders.recv()).await.expect("a request");
        sender.send_data(Bytes::from_static(b"hello")).await.expect("room");
        assert_eq!(piece(&mut body).await.expect("a piece"), "hello");
        drop((body, client));
        gateway.line(&["path=\"/long\"", "status=200", "bytes=5", "outcome=\"cancelled\""]).await;
        // The upstream learns of it as well: it cannot send forever.
        within("an end of sending", async {
            while sender.send_data(Bytes::from_static(b"more")).await.is_ok() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_its_body_is_logged_as_cancelled() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let upstream = upstream::start(move |request| {
        let _ = tell.send("asked");
        async move {
            let _ = request.into_body().collect().await;
            std::future::pending().await
        }
    })
    .await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("POST /half HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\ncontent-length: 9\r\n\r\nhalf")).await;
    hears(&mut told, "asked").await;
    drop(raw);
    gateway.line(&["path=\"/half\"", "outcome=\"cancelled\""]).await;
}

#[tokio::test]
async fn an_upstream_that_dies_in_the_middle_of_its_reply_breaks_the_reply_and_is_logged_as_broken() {
    let (tell, mut senders) = mpsc::unbounded_channel();
    let upstream = upstream::start(move |_| {
        let (sender, body) = pieces();
        let _ = tell.send(sender);
        async { Ok(Response::new(body)) }
    })
    .await;
    let mut gateway = Gateway::start(&[upstream], &[]).await;
    for client in [Client::new(gateway.address), Client::h2c(gateway.address)] {
        let request = client.request(Method::GET, "/dies", &[("x-api-key", ALICE)], empty());
        let mut body = client.send(request).await.expect("a reply").into_body();
        let mut sender = within("a request", senders.recv()).await.expect("a request");
        sender.send_data(Bytes::from_static(b"half")).await.expect("room");
        assert_eq!(piece(&mut body).await.expect("a piece"), "half");
        sender.abort(upstream::Gone);
        let end = within("the end of the body", body.frame()).await;
        assert!(matches!(end, Some(Err(_))), "a broken reply must not look like a whole one: {end:?}");
        gateway.line(&["path=\"/dies\"", "bytes=4", "outcome=\"broken\""]).await;
        // The gateway is none the worse.
        assert_eq!(client.get("/", &[]).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_upstream_that_falls_silent_in_the_middle_of_its_reply_breaks_the_reply() {
    let (tell, mut senders) = mpsc::unbounded_channel();
    let upstream = upstream::start(move |_| {
        let (sender, body) = pieces();
        let _ = tell.send(sender);
        async { Ok(Response::new(body)) }
    })
    .await;
    let mut gateway = Gateway::start(&[upstream], &["--timeout", "100ms"]).await;
    let client = Client::new(gateway.address);
    let request = client.request(Method::GET, "/stalls", &[("x-api-key", ALICE)], empty());
    let reply = client.send(request).await.expect("a reply");
    let _held = senders.recv().await;
    assert!(within("an end", reply.into_body().collect()).await.is_err());
    gateway.line(&["path=\"/stalls\"", "outcome=\"broken\""]).await;
}

#[tokio::test]
async fn who_is_refused_has_a_line_as_well() {
    let gateway_flags = ["--rate", "1", "--burst", "1"];
    let mut gateway = Gateway::start(&[upstream::mirror().await], &gateway_flags).await;
    let client = Client::new(gateway.address);
    client.get("/nobody?secret=1", &[]).await;
    let line = gateway.line(&["path=\"/nobody\"", "status=401", "outcome=\"refused\""]).await;
    assert!(!line.contains("secret"), "a query does not belong into a log: {line}");
    while client.get_as_alice("/often").await.status == StatusCode::OK {}
    gateway.line(&["path=\"/often\"", "status=429", "user=\"alice\"", "outcome=\"refused\""]).await;
}
