//! How the gateway stops.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Response, StatusCode};
use processes::client::{Client, Raw};
use processes::upstream::{self, full};
use processes::within;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use crate::process::{ALICE, AsAlice as _, Gateway};

/// An upstream that tells of each request, and answers when it is told to.
async fn patient() -> (SocketAddr, mpsc::UnboundedReceiver<()>, Arc<Notify>) {
    let (tell, told) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let address = upstream::start({
        let go = Arc::clone(&go);
        move |_| {
            let go = Arc::clone(&go);
            let _ = tell.send(());
            async move {
                go.notified().await;
                Ok(Response::new(full("at last")))
            }
        }
    })
    .await;
    (address, told, go)
}

#[tokio::test]
async fn requests_in_flight_finish_and_new_ones_are_refused() {
    for signal in ["TERM", "INT"] {
        for new in [Client::new, Client::h2c] {
            let (upstream, mut told, go) = patient().await;
            let mut gateway = Gateway::start(&[upstream], &[]).await;
            let client = new(gateway.address);
            let asking = tokio::spawn(async move { client.get_as_alice("/").await });
            within("a request", told.recv()).await.expect("a request");
            let mut idle = Raw::connect(gateway.address).await;

            gateway.signal(signal).await;
            gateway.line(&["stopping"]).await;
            let refused = within("an answer", TcpStream::connect(gateway.address)).await;
            assert_eq!(refused.map_err(|error| error.kind()).err(), Some(std::io::ErrorKind::ConnectionRefused));
            assert_eq!(idle.read_to_end().await, "", "an idle connection is closed");

            go.notify_one();
            let answer = within("the reply", asking).await.expect("the client lives");
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "at last"));
            gateway.line(&["status=200", "outcome=\"done\""]).await;
            assert!(gateway.ended().await.success());
        }
    }
}

#[tokio::test]
async fn requests_that_take_too_long_are_cancelled_and_logged() {
    let (upstream, mut told, _go) = patient().await;
    let mut gateway = Gateway::start(&[upstream], &["--grace", "100ms"]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("GET /forever HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
    let client = Client::h2c(gateway.address);
    let asking = tokio::spawn(async move {
        let request = client.request(http::Method::GET, "/ever", &[("x-api-key", ALICE)], upstream::empty());
        client.send(request).await.map(|reply| reply.status())
    });
    for _ in 0..2 {
        within("a request", told.recv()).await.expect("a request");
    }
    gateway.signal("TERM").await;
    assert_eq!(raw.read_to_end().await, "");
    assert!(within("an end", asking).await.expect("the client lives").is_err());
    assert!(gateway.ended().await.success());
    // Both were waiting for the same upstream, so their lines come in either order.
    let first = gateway.line(&["outcome=\"cancelled\""]).await;
    let second = gateway.line(&["outcome=\"cancelled\""]).await;
    assert_ne!(first.contains("/forever"), second.contains("/forever"), "{first}\n{second}");
    gateway.line(&["requests cut: 2"]).await;
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (upstream, mut told, _go) = patient().await;
    let mut gateway = Gateway::start(&[upstream], &["--grace", "1m"]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("GET /forever HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
    within("a request", told.recv()).await.expect("a request");
    gateway.signal("INT").await;
    gateway.line(&["stopping"]).await;
    gateway.signal("INT").await;
    gateway.line(&["path=\"/forever\"", "outcome=\"cancelled\""]).await;
    assert!(gateway.ended().await.success());
}
