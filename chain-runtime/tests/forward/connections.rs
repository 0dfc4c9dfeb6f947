//! Connections to members: made to an address under a name, and ended with the member.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::server::{Limits as ServerLimits, Server};
use chain_runtime::proxy::{Error, Settings, Upstream};
use chain_runtime::upstream::{Member, Registry};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::upstreams::{Scripted, nobody};
use super::{LONG, limits, members, node, seat, send, served, settled};

/// Connections are kept for longer than a test runs.
fn keeps() -> Settings {
    limits(|limits| limits.idle = Duration::from_secs(3_600))
}

fn named(url: &str, at: std::net::SocketAddr) -> Upstream {
    url.parse::<Upstream>().expect("a URL").at(at)
}

fn registry(of: impl IntoIterator<Item = Upstream>) -> Arc<Registry<Upstream>> {
    let registry = Registry::new();
    for (number, upstream) in of.into_iter().enumerate() {
        registry.register(Member::new(format!("{number}"), upstream), Duration::MAX).expect("a name");
    }
    Arc::new(registry)
}

#[tokio::test]
async fn an_upstream_at_an_address_is_asked_there_and_by_its_name() {
    let upstream = Scripted::new().await;
    let node = node(&registry([named("http://shop.invalid:81", upstream.at)]), keeps());
    assert_eq!(send(&node, "GET", "/path").await.expect("a reply").status(), 200);
    let head = upstream.head();
    assert!(head.starts_with("GET /path HTTP/1.1\r\n") && head.contains("host: shop.invalid:81\r\n"), "{head}");
}

#[tokio::test]
async fn over_http2_its_name_is_the_authority() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    tokio::spawn(Server::new(ServerLimits::default()).serve(
        listener,
        async |request: Request<Incoming>, _| {
            let said = format!("{:?} {}", request.version(), request.uri());
            Response::new(Full::<Bytes>::from(said))
        },
        std::future::pending(),
    ));
    let node = node(&registry([named("h2c://shop.invalid", at)]), keeps());
    let reply = send(&node, "GET", "/path").await.expect("a reply");
    let said = reply.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(said, "HTTP/2.0 http://shop.invalid/path");
}

#[tokio::test]
async fn two_addresses_of_a_name_are_two_members() {
    let (one, other) = (Scripted::new().await, Scripted::new().await);
    let node = node(&registry([one.at, other.at].map(|at| named("http://shop.invalid", at))), keeps());
    for _ in 0..10 {
        served(&node).await;
    }
    assert_eq!((one.requests(), other.requests()), (5, 5));
    assert_eq!((one.connections(), other.connections()), (1, 1), "they are kept");
}

#[tokio::test]
async fn one_at_an_address_where_nobody_listens_refuses() {
    let node = node(&registry([named("http://localhost", nobody().await)]), keeps());
    let refused = send(&node, "GET", "/").await.expect_err("nobody is there");
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
}

#[test]
fn upstreams_are_equal_where_name_and_address_are() {
    let upstream = |url: &str, at: &str| named(url, at.parse().expect("an address"));
    let one = upstream("http://a", "127.0.0.1:1");
    assert_eq!(one, upstream("http://a", "127.0.0.1:1"));
    assert_eq!(one, one.clone());
    assert_ne!(one, upstream("http://a", "127.0.0.1:2"));
    assert_ne!(one, upstream("http://b", "127.0.0.1:1"));
    assert_ne!(one, "http://a".parse().expect("a URL"));
    assert_eq!(one.to_string(), "http://a at 127.0.0.1:1");
}

#[tokio::test]
async fn the_connections_to_a_member_that_is_removed_end() {
    let (gone, stays) = (Scripted::new().await, Scripted::new().await);
    let registry = members(&[gone.at, stays.at]);
    let node = node(&registry, keeps());
    for _ in 0..4 {
        served(&node).await;
    }
    assert_eq!((gone.open(), stays.open()), (1, 1));
    registry.remove(seat(&registry, "0").registration()).expect("it is there");
    // Whoever picks next lets go of the snapshot before.
    served(&node).await;
    timeout(LONG, gone.all_closed()).await.expect("it is closed");
    assert_eq!((stays.open(), stays.connections()), (1, 1));
}

#[tokio::test]
async fn a_connection_to_a_member_that_is_removed_lasts_as_long_as_the_reply_that_comes_by_it() {
    let (gone, stays) = (Scripted::new().await, Scripted::new().await);
    let registry = members(&[gone.at, stays.at]);
    let node = node(&registry, keeps());
    let reply = loop {
        let reply = send(&node, "GET", "/half").await.expect("a reply");
        if gone.requests() > 0 {
            break reply;
        }
    };
    registry.remove(seat(&registry, "0").registration()).expect("it is there");
    send(&node, "GET", "/").await.expect("a reply");
    assert_eq!(gone.open(), 1);
    gone.go_on();
    let body = timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
    assert_eq!(body.to_bytes(), "helloworld");
    timeout(LONG, gone.all_closed()).await.expect("it is closed");
}

#[tokio::test]
async fn the_connections_of_a_node_that_is_gone_end_when_its_successor_asks() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let before = node(&registry, keeps());
    served(&before).await;
    let after = node(&registry, keeps());
    served(&after).await;
    assert_eq!((upstream.open(), upstream.connections()), (2, 2), "no node uses what another has set up");
    drop(before);
    let third = node(&registry, keeps());
    served(&third).await;
    timeout(LONG, async {
        while upstream.open() != 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the first one's is closed");
}

#[tokio::test]
async fn a_connection_that_is_idle_for_too_long_is_closed() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), limits(|limits| limits.idle = Duration::from_millis(100)));
    served(&node).await;
    timeout(LONG, upstream.all_closed()).await.expect("it is closed");
    served(&node).await;
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_connection_serves_no_other_request_before_its_reply_is_at_its_end() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), keeps());
    let reply = send(&node, "GET", "/half").await.expect("a reply");
    for _ in 0..3 {
        served(&node).await;
        assert_eq!(upstream.connections(), 2, "one has the reply, the other one is kept");
    }
    upstream.go_on();
    let body = timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
    assert_eq!(body.to_bytes(), "helloworld");
    served(&node).await;
    assert_eq!((upstream.open(), upstream.connections()), (2, 2), "both are kept");
}

/// Replies to `/half`, each of which has begun and waits for the upstream.
async fn halves(node: &super::Node, count: usize) -> Vec<Response<chain_runtime::proxy::Body>> {
    let mut halves = Vec::new();
    for _ in 0..count {
        halves.push(send(node, "GET", "/half").await.expect("a reply"));
    }
    halves
}

#[tokio::test]
async fn replies_that_stream_do_not_take_the_place_of_a_kept_connection() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), limits(|limits| limits.idle_connections = 1));
    let streams = halves(&node, 20).await;
    for _ in 0..50 {
        served(&node).await;
    }
    assert_eq!(upstream.connections(), 20 + 1);
    drop(streams);
}

#[tokio::test]
async fn a_connection_is_kept_as_soon_as_its_reply_has_ended() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), keeps());
    let mut streams = halves(&node, 20).await;
    // The first of them, of which many wait.
    upstream.go_on();
    let first = streams.remove(0).into_body().collect();
    timeout(LONG, first).await.expect("in time").expect("a body");
    served(&node).await;
    assert_eq!(upstream.connections(), 20);
    drop(streams);
}

#[tokio::test]
async fn no_more_connections_are_kept_than_the_limit() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), limits(|limits| limits.idle_connections = 3));
    for _ in 0..2 {
        let streams = halves(&node, 8).await;
        for stream in streams {
            upstream.go_on();
            timeout(LONG, stream.into_body().collect()).await.expect("in time").expect("a body");
        }
        settled().await;
        timeout(LONG, async {
            while upstream.open() > 3 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the others are closed");
    }
}

#[tokio::test]
async fn a_connection_is_neither_used_nor_kept_once_it_was_idle_for_its_time() {
    let upstream = Scripted::new().await;
    let idle = Duration::from_millis(300);
    let node = node(&members(&[upstream.at]), limits(|limits| limits.idle = idle));
    served(&node).await;
    // The runtime gets no time in which it could close the connection.
    std::thread::sleep(idle);
    served(&node).await;
    assert_eq!(upstream.connections(), 2);
    timeout(LONG, upstream.all_closed()).await.expect("closed by itself");
}

#[tokio::test]
async fn none_is_kept_where_the_time_is_nothing() {
    let upstream = Scripted::new().await;
    let node = node(&members(&[upstream.at]), limits(|limits| limits.idle = Duration::ZERO));
    served(&node).await;
    timeout(LONG, upstream.all_closed()).await.expect("closed");
    served(&node).await;
    assert_eq!(upstream.connections(), 2);
}

/// The queue of the upstream's listener is full, so that no other connection is made.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_request_that_connects_takes_a_connection_that_becomes_free_before() {
    let listener = tokio::net::TcpSocket::new_v4().expect("a socket");
    listener.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = listener.listen(0).expect("listens");
    let at = listener.local_addr().expect("its address");
    let node = Arc::new(node(&members(&[at]), keeps()));
    let ask = |node: &Arc<super::Node>| {
        let node = Arc::clone(node);
        tokio::spawn(async move { send(&node, "GET", "/").await.map(|reply| reply.status().as_u16()) })
    };
    let first = ask(&node);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut head = [0; 4 << 10];
    assert!(tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.expect("a request") > 0);
    let fill: Vec<_> = (0..3).map(|_| tokio::spawn(tokio::net::TcpStream::connect(at))).collect();
    settled().await;
    let second = ask(&node);
    settled().await;
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, reply).await.expect("sent");
    // The second request comes over the same connection.
    let read = timeout(LONG, tokio::io::AsyncReadExt::read(&mut stream, &mut head)).await.expect("in time");
    assert!(read.expect("a request") > 0);
    tokio::io::AsyncWriteExt::write_all(&mut stream, reply).await.expect("sent");
    for asked in [first, second] {
        assert_eq!(asked.await.expect("no panic").expect("a reply"), 200);
    }
    drop(fill);
}
