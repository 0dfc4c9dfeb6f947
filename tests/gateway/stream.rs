//! The gateway passes both bodies on as they come.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use processes::client::{Client, piece};
use processes::upstream::{self, Gone, full, pieces};
use processes::within;

use crate::process::{AsAlice as _, Gateway};

/// An upstream that sends back what comes, as it comes.
async fn echo() -> std::net::SocketAddr {
    upstream::start(async |request| Ok(Response::new(request.into_body().map_err(|_| Gone).boxed()))).await
}

#[tokio::test]
async fn each_piece_arrives_before_the_next_is_sent() {
    let mut gateway = Gateway::start(&[echo().await], &[]).await;
    for client in [Client::new(gateway.address), Client::h2c(gateway.address)] {
        let (mut sender, body) = pieces();
        let reply = client.post_as_alice("/", body).await.expect("a reply before there is a body");
        assert_eq!(reply.status(), StatusCode::OK);
        let mut back = reply.into_body();
        for word in ["one", "two", "three"] {
            within("room", sender.send_data(Bytes::from(word))).await.expect("room");
            // There and back, while the body is still open: nothing on the way waits for its end.
            assert_eq!(piece(&mut back).await.expect("a piece"), word);
        }
        drop(sender);
        assert_eq!(piece(&mut back).await, None);
        gateway.line(&["status=200", "bytes=11", "outcome=\"done\""]).await;
    }
}

#[tokio::test]
async fn a_body_much_larger_than_any_buffer_comes_through_whole() {
    let mut gateway = Gateway::start(&[echo().await], &["--max-body", "64m"]).await;
    let client = Client::new(gateway.address);
    let sent: Vec<u8> = (0..8_000_000u32).map(|at| (at % 251) as u8).collect();
    let reply = client.post_as_alice("/", full(sent.clone())).await.expect("a reply");
    let back = within("the whole body", reply.into_body().collect()).await.expect("the whole body").to_bytes();
    assert!(back == sent, "{} of {} bytes came back, or others", back.len(), sent.len());
    gateway.line(&["bytes=8000000", "outcome=\"done\""]).await;
}

#[tokio::test]
async fn a_slow_stream_is_not_a_silent_one() {
    // Each pause is shorter than the time-out, all together are longer.
    let upstream = upstream::start(async |_| {
        let (mut sender, body) = pieces();
        tokio::spawn(async move {
            for _ in 0..6 {
                tokio::time::sleep(std::time::Duration::from_millis(250)).await;
                let _ = sender.send_data(Bytes::from_static(b"tick")).await;
            }
        });
        Ok(Response::new(body))
    })
    .await;
    let gateway = Gateway::start(&[upstream], &["--timeout", "1s"]).await;
    assert_eq!(Client::new(gateway.address).get_as_alice("/").await.text.len(), 24);
}
