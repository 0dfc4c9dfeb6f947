//! Upstreams that speak HTTP/2, and how they say that they have not processed a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chain_runtime::IntoReply as _;
use chain_runtime::proxy::{Body, Error, Settings, Unseen, Upstream, is_unseen, worth_repeating};
use chain_runtime::upstream::{Check as _, Member, Registry};
use http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::upstreams::{Scripted, nobody};
use super::{members, node, seat, send, totals};

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;

/// What the upstream does with a stream.
#[derive(Clone, Copy)]
enum Does {
    Replies,
    /// `RST_STREAM`, with this code.
    Resets(u8),
    /// `GOAWAY`, which names this stream as the last that was dealt with.
    Leaves(u32),
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short one").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Of each connection's streams, one after another, what `does` says. Counts connections.
async fn upstream(does: impl Fn(usize) -> Does + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    let (connections, streams) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (does, count) = (Arc::new(does), Arc::clone(&connections));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let (does, streams) = (Arc::clone(&does), Arc::clone(&streams));
            tokio::spawn(async move { serve(stream, &*does, &streams).await });
        }
    });
    (at, connections)
}

async fn serve(mut stream: TcpStream, does: &(impl Fn(usize) -> Does + Sync), streams: &AtomicUsize) -> Option<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.ok()?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let answer = match (head[3], head[4] & 1) {
            (SETTINGS, 0) => frame(SETTINGS, 1, 0, &[]),
            (HEADERS, _) => match does(streams.fetch_add(1, Ordering::SeqCst)) {
                // `:status 200`, the end of the fields and of the stream.
                Does::Replies => frame(HEADERS, 5, id, &[0x88]),
                Does::Resets(code) => frame(3, 0, id, &[0, 0, 0, code]),
                Does::Leaves(last) => frame(7, 0, 0, &[&last.to_be_bytes()[..], &[0; 4]].concat()),
            },
            _ => continue,
        };
        stream.write_all(&answer).await.ok()?;
    }
}

fn registry(at: &[SocketAddr]) -> Arc<Registry<Upstream>> {
    let registry = Registry::new();
    for (number, at) in at.iter().enumerate() {
        let upstream = format!("h2c://{at}").parse().expect("a URL");
        registry.register(Member::new(format!("{number}"), upstream), std::time::Duration::MAX).expect("a name");
    }
    Arc::new(registry)
}

#[tokio::test]
async fn a_stream_that_is_refused_was_not_seen_and_goes_to_another_member() {
    const REFUSED_STREAM: u8 = 7;
    let (refuses, _) = upstream(|_| Does::Resets(REFUSED_STREAM)).await;
    let alone = registry(&[refuses]);
    let error = send(&node(&alone, Settings::default()), "GET", "/").await.expect_err("refused");
    assert!(matches!(error, Error::Refused(_)) && error.is_unseen(), "{error}");
    assert_eq!(seat(&alone, "0").totals(), totals(0, 0, 1, 0, 0));

    let (replies, _) = upstream(|_| Does::Replies).await;
    let both = registry(&[refuses, replies]);
    let node = node(&both, Settings::default());
    for _ in 0..4 {
        assert_eq!(send(&node, "GET", "/").await.expect("a reply").status(), 200);
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_for_another_reason_may_have_been_seen() {
    const INTERNAL_ERROR: u8 = 2;
    let (resets, _) = upstream(|_| Does::Resets(INTERNAL_ERROR)).await;
    let registry = registry(&[resets]);
    let error = send(&node(&registry, Settings::default()), "GET", "/").await.expect_err("reset");
    assert!(matches!(error, Error::Broken(_)) && !error.is_unseen(), "{error}");
    assert_eq!(seat(&registry, "0").totals(), totals(0, 0, 1, 0, 0));
}

#[tokio::test]
async fn an_upstream_that_leaves_a_connection_that_it_has_kept_is_asked_anew_and_not_blamed() {
    // The second stream is not dealt with any more; its connection was of use before.
    let (at, connections) = upstream(|stream| if stream == 1 { Does::Leaves(1) } else { Does::Replies }).await;
    let registry = registry(&[at]);
    let node = node(&registry, Settings::default());
    for _ in 0..3 {
        assert_eq!(send(&node, "GET", "/").await.expect("a reply").status(), 200);
    }
    assert_eq!(seat(&registry, "0").totals(), totals(3, 0, 0, 0, 0));
    // One for the request that was sent anew, and one for those after it.
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn nor_is_it_blamed_where_the_request_cannot_be_sent_anew() {
    let (at, _) = upstream(|stream| if stream == 1 { Does::Leaves(1) } else { Does::Replies }).await;
    let registry = registry(&[at]);
    let node = node(&registry, Settings::default());
    assert_eq!(send(&node, "GET", "/").await.expect("a reply").status(), 200);
    let error = send(&node, "POST", "/").await.expect_err("it leaves");
    assert!(error.is_unseen(), "{error}");
    assert_eq!(seat(&registry, "0").totals(), totals(1, 0, 0, 0, 1));
}

#[tokio::test]
async fn one_that_leaves_at_once_has_failed_and_has_seen_nothing() {
    let (at, _) = upstream(|_| Does::Leaves(0)).await;
    let registry = registry(&[at]);
    let error = send(&node(&registry, Settings::default()), "POST", "/").await.expect_err("it leaves");
    assert!(matches!(error, Error::Refused(_)) && error.is_unseen(), "{error}");
    assert_eq!(seat(&registry, "0").totals(), totals(0, 0, 1, 0, 0));
}

#[tokio::test]
async fn checks_and_requests_share_a_connection_over_http2_too() {
    let (at, connections) = upstream(|_| Does::Replies).await;
    let registry = registry(&[at]);
    let node = node(&registry, Settings::default());
    let check = node.check("/health".parse().expect("a path"));
    for _ in 0..3 {
        check.check(&seat(&registry, "0")).await.expect("it is well");
        assert_eq!(send(&node, "GET", "/").await.expect("a reply").status(), 200);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_reply_says_whether_the_request_was_seen() {
    let reply = |error: Error| -> Response<Body> { error.into_reply() };
    let refused = send(&node(&members(&[nobody().await]), Settings::default()), "POST", "/").await;
    let refused = reply(refused.expect_err("nobody is there"));
    assert_eq!(refused.extensions().get(), Some(&Unseen));
    assert!(is_unseen(&refused) && worth_repeating(&refused));
    assert!(is_unseen(&reply(Error::NoUpstream)));

    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), Settings::default());
    let broken = reply(send(&node, "POST", "/closes").await.expect_err("it closes"));
    assert!(!is_unseen(&broken) && worth_repeating(&broken));
    for (status, is_worth) in [(200, false), (404, false), (500, false), (502, true), (503, true), (504, true)] {
        let reply = send(&node, "GET", &format!("/status/{status}")).await.expect("a reply");
        assert_eq!((is_unseen(&reply), worth_repeating(&reply)), (false, is_worth), "{status}");
    }
}
