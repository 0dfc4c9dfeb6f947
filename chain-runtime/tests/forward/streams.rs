//! What continues after the head of a reply: tunnels, and members whose replies break off.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::chain;
use chain_runtime::proxy::server::{Limits as ServerLimits, Server};
use chain_runtime::proxy::{Body, Client, Forward, Settings, Tunnels, Upstream};
use chain_runtime::upstream::{Health, Member, Pick, Registry, RoundRobin, State};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::upstreams::Scripted;
use super::{LONG, Members, members, node, seat, send, totals};

chain! {
    struct Proxy { forward: Forward<Pick<Upstream, RoundRobin>, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { forward }
}

async fn proxy(registry: &Members) -> SocketAddr {
    let settings = Settings::default().tunnels(&Tunnels::new(10, LONG));
    let forward = Forward::new(Pick::new(Arc::clone(registry), RoundRobin::new()), settings);
    let proxy = Arc::new(Proxy { forward });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    let answer = move |request: Request<Incoming>, client: Client| {
        let proxy = Arc::clone(&proxy);
        async move {
            let (head, body) = request.into_parts();
            proxy.run(head, body, client).await
        }
    };
    tokio::spawn(Server::new(ServerLimits::default()).serve(listener, answer, std::future::pending()));
    at
}

#[tokio::test]
async fn a_member_is_drained_when_its_last_tunnel_has_ended() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let at = proxy(&registry).await;
    let mut client = TcpStream::connect(at).await.expect("connected");
    let asks = b"GET /switches HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: what\r\n\r\n";
    client.write_all(asks).await.expect("sent");
    let mut reply = vec![0; 1 << 10];
    let length = timeout(LONG, client.read(&mut reply)).await.expect("in time").expect("read");
    assert!(reply[..length].starts_with(b"HTTP/1.1 101"));

    let seat = seat(&registry, "0");
    assert_eq!((seat.in_flight(), seat.totals()), (1, totals(1, 0, 0, 0, 0)), "the reply is noted at once");
    registry.drain(seat.registration()).expect("it is there");
    let drained = registry.drained(seat.registration());
    assert!(timeout(Duration::from_millis(100), drained).await.is_err());
    drop(client);
    timeout(LONG, registry.drained(seat.registration())).await.expect("nothing is in flight");
    assert_eq!(seat.totals(), totals(1, 0, 0, 0, 0));
}

/// A registry of this one, in which nothing keeps it from being ejected.
fn ejected_for_three_failures(upstream: &Scripted) -> Members {
    let registry = Registry::new().with_health(Health::new().failures(3, LONG).at_most(1.0));
    let at = format!("http://{}", upstream.at).parse().expect("a URL");
    registry.register(Member::new("0", at), Duration::MAX).expect("a name");
    Arc::new(registry)
}

#[tokio::test]
async fn a_member_whose_replies_break_off_midway_is_ejected() {
    let upstream = Scripted::new().await;
    let registry = ejected_for_three_failures(&upstream);
    let node = node(&registry, Settings::default());
    let state = || registry.snapshot().get("0").expect("it is there").state();
    for broken in 0..3 {
        assert_eq!(state(), State::Ready, "after {broken}");
        upstream.go_on();
        let reply = send(&node, "GET", "/breaks").await.expect("a head");
        timeout(LONG, reply.into_body().collect()).await.expect("in time").expect_err("it breaks off");
    }
    assert!(matches!(state(), State::Ejected { .. }), "{:?}", state());
}

#[tokio::test]
async fn a_member_whose_streams_of_events_break_off_is_ejected_as_well() {
    let upstream = Scripted::new().await;
    let registry = ejected_for_three_failures(&upstream);
    let node = node(&registry, Settings::default());
    let state = || registry.snapshot().get("0").expect("it is there").state();
    for broken in 0..3 {
        assert_eq!(state(), State::Ready, "after {broken}");
        let reply = send(&node, "GET", "/events").await.expect("a head");
        upstream.go_on();
        timeout(LONG, reply.into_body().collect()).await.expect("in time").expect_err("it breaks off");
    }
    assert!(matches!(state(), State::Ejected { .. }), "{:?}", state());
}

#[tokio::test]
async fn what_a_reply_took_is_known_when_its_head_has_come_and_the_reply_is_noted_at_its_end() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let seat = seat(&registry, "0");
    assert_eq!(seat.expected(), None);
    let reply = send(&node(&registry, Settings::default()), "GET", "/half").await.expect("a head");
    assert!(seat.expected().is_some());
    assert_eq!((seat.in_flight(), seat.totals()), (1, totals(0, 0, 0, 0, 0)));
    upstream.go_on();
    timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
    assert_eq!((seat.in_flight(), seat.totals()), (0, totals(1, 0, 0, 0, 0)));
}

#[tokio::test]
async fn a_reply_that_goes_on_for_long_is_noted_before_its_end() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let seat = seat(&registry, "0");
    let mut body =
        pin!(send(&node(&registry, Settings::default()), "GET", "/drips").await.expect("a head").into_body());
    let mut next = async || poll_fn(|context| body.as_mut().poll_frame(context)).await;
    assert!(matches!(next().await, Some(Ok(_))));
    sleep(Duration::from_millis(1_100)).await;
    upstream.go_on();
    assert!(matches!(next().await, Some(Ok(_))));
    assert_eq!((seat.in_flight(), seat.totals()), (1, totals(1, 0, 0, 0, 0)));
    upstream.go_on();
    assert!(matches!(next().await, Some(Err(_))));
    assert_eq!((seat.in_flight(), seat.totals()), (0, totals(1, 0, 1, 0, 0)), "that it breaks off is known, too");
}

#[tokio::test]
async fn a_stream_of_events_is_noted_at_its_beginning() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let seat = seat(&registry, "0");
    let reply = send(&node(&registry, Settings::default()), "GET", "/events").await.expect("a head");
    assert_eq!((seat.in_flight(), seat.totals()), (1, totals(1, 0, 0, 0, 0)));
    upstream.go_on();
    timeout(LONG, reply.into_body().collect()).await.expect("in time").expect_err("it breaks off");
    assert_eq!((seat.in_flight(), seat.totals()), (0, totals(1, 0, 1, 0, 0)));
}
