//! Nodes that borrow a lease: what each way out reports on it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::{Deadline, Expired, Retry};
use chain_runtime::proxy::{
    Body, ByLease, Client, Error, Forward, Repeatable, Settings, Upstream, idempotent, is_unseen, worth_repeating,
};
use chain_runtime::upstream::{NoUpstream, Pick, RoundRobin, Totals, Untried, tried};
use chain_runtime::{IntoReply, chain};
use futures_util::poll;
use http::Response;
use http::request::Parts;
use http_body_util::{BodyExt as _, Full};
use tokio::time::timeout;

use super::upstreams::{Scripted, nobody};
use super::{LONG, Members, client, given_up_at_each_poll, head, limits, members, seat, totals};

type Payload = Full<Bytes>;

enum Failure {
    Proxy,
    Late,
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Proxy
    }
}

impl From<NoUpstream> for Failure {
    fn from(_: NoUpstream) -> Self {
        Self::Proxy
    }
}

impl From<Expired> for Failure {
    fn from(_: Expired) -> Self {
        Self::Late
    }
}

chain! {
    struct Streams { pick: Pick<Upstream, RoundRobin>, forward: Forward<ByLease, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Result<Response<Body>, Failure> { pick => forward }
}

chain! {
    struct Ahead { pick: Pick<Upstream, RoundRobin>, forward: Repeatable<ByLease, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Result<Response<Body>, Failure> { pick => forward }
}

chain! {
    struct Inside { pick: Pick<Upstream, RoundRobin>, attempt: Deadline, forward: Repeatable<ByLease, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Result<Response<Body>, Failure> {
        pick => attempt { forward }
    }
}

chain! {
    struct Around { pick: Pick<Upstream, RoundRobin>, attempt: Deadline, forward: Repeatable<ByLease, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Result<Response<Body>, Failure> {
        attempt { pick => forward }
    }
}

fn pick(registry: &Members) -> Pick<Upstream, RoundRobin> {
    Pick::new(Arc::clone(registry), RoundRobin::new())
}

fn streams(registry: &Members, settings: Settings) -> Streams {
    Streams { pick: pick(registry), forward: Forward::leased(settings) }
}

fn ahead(registry: &Members, settings: Settings) -> Ahead {
    Ahead { pick: pick(registry), forward: Forward::leased(settings).repeatable(1 << 10) }
}

/// What is noted of the member once the reply was read to its end.
async fn noted(reads_ahead: bool, method: &str, path: &str, settings: Settings) -> Totals {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    upstream.go_on();
    let (request, body) = (head(method, path), Payload::default());
    let reply = if reads_ahead {
        ahead(&registry, settings).run(request, body, client()).await
    } else {
        streams(&registry, settings).run(request, body, client()).await
    };
    if let Ok(reply) = reply {
        let _ = timeout(LONG, reply.into_body().collect()).await.expect("in time");
    }
    let seat = seat(&registry, "0");
    assert_eq!(seat.in_flight(), 0, "{path}");
    seat.totals()
}

#[tokio::test]
async fn a_run_can_be_a_task_of_its_own() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let status = |reply: Result<Response<Body>, Failure>| reply.map(|reply| reply.status().as_u16()).unwrap_or(0);
    let (streams, ahead) = (streams(&registry, Settings::default()), ahead(&registry, Settings::default()));
    let attempt = Deadline::within(LONG);
    let around =
        Around { pick: pick(&registry), attempt, forward: Forward::leased(Settings::default()).repeatable(1 << 10) };
    let tasks = [
        tokio::spawn(async move { status(streams.run(head("GET", "/"), Payload::default(), client()).await) }),
        tokio::spawn(async move { status(ahead.run(head("GET", "/"), Payload::default(), client()).await) }),
        tokio::spawn(async move { status(around.run(head("GET", "/"), Payload::default(), client()).await) }),
    ];
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), 200);
    }
}

#[tokio::test]
async fn each_way_out_is_said_on_the_lease() {
    // Only what never comes is waited for so briefly.
    let waits = |path| {
        let short = Duration::from_millis(50);
        limits(|limits| match path {
            "/silent" => limits.first_byte = short,
            "/stalls" => limits.silence = short,
            _ => {}
        })
    };
    for (method, path, streaming, ahead) in [
        ("GET", "/", totals(1, 0, 0, 0, 0), totals(1, 0, 0, 0, 0)),
        ("GET", "/status/404", totals(1, 0, 0, 0, 0), totals(1, 0, 0, 0, 0)),
        ("GET", "/status/500", totals(0, 1, 0, 0, 0), totals(0, 1, 0, 0, 0)),
        ("GET", "/closes", totals(0, 0, 1, 0, 0), totals(0, 0, 1, 0, 0)),
        ("GET", "/two-lengths", totals(0, 0, 1, 0, 0), totals(0, 0, 1, 0, 0)),
        ("GET", "/silent", totals(0, 0, 0, 1, 0), totals(0, 0, 0, 1, 0)),
        ("GET", "/half", totals(1, 0, 0, 0, 0), totals(1, 0, 0, 0, 0)),
        // The lease was returned when the head had come: what breaks off after that is one thing more.
        ("GET", "/breaks", totals(1, 0, 1, 0, 0), totals(0, 0, 1, 0, 0)),
        ("GET", "/stalls", totals(1, 0, 0, 1, 0), totals(0, 0, 0, 1, 0)),
        // Not read ahead: it is not sent again.
        ("POST", "/breaks", totals(1, 0, 1, 0, 0), totals(1, 0, 1, 0, 0)),
        // The member has not seen it.
        ("CONNECT", "/", totals(0, 0, 0, 0, 1), totals(0, 0, 0, 0, 1)),
    ] {
        assert_eq!(noted(false, method, path, waits(path)).await, streaming, "{method} {path}, streaming");
        assert_eq!(noted(true, method, path, waits(path)).await, ahead, "{method} {path}, read ahead");
    }
}

#[tokio::test]
async fn a_deadline_ends_the_wait_as_a_time_out_wherever_it_stands() {
    for path in ["/silent", "/stalls"] {
        let upstream = Scripted::new().await;
        let registry = members(&[upstream.at]);
        let attempt = Deadline::within(Duration::from_millis(50));
        let forward = || Forward::leased(Settings::default()).repeatable(1 << 10);
        let inside = Inside { pick: pick(&registry), attempt, forward: forward() };
        let late = inside.run(head("GET", path), Payload::default(), client()).await;
        assert!(matches!(late, Err(Failure::Late)));
        let around = Around { pick: pick(&registry), attempt, forward: forward() };
        let late = around.run(head("GET", path), Payload::default(), client()).await;
        assert!(matches!(late, Err(Failure::Late)));
        let seat = seat(&registry, "0");
        assert_eq!((seat.totals(), seat.in_flight()), (totals(0, 0, 0, 2, 0), 0), "{path}");
    }
}

#[tokio::test]
async fn a_run_that_is_given_up_at_any_await_is_cancelled_and_not_in_flight() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let seat = seat(&registry, "0");
    let chain = ahead(&registry, Settings::default());
    let run = || chain.run(head("GET", "/"), Payload::default(), client());
    let given_up = given_up_at_each_poll(&seat, run, |reply| assert!(reply.is_ok())).await;
    assert!(given_up > 0);
    assert_eq!(seat.totals(), totals(1, 0, 0, 0, given_up));
}

#[tokio::test]
async fn a_member_is_drained_when_the_body_has_come_to_its_end_though_the_lease_is_returned() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let seat = seat(&registry, "0");
    let chain = streams(&registry, Settings::default());
    let Ok(reply) = chain.run(head("GET", "/half"), Payload::default(), client()).await else {
        panic!("no reply");
    };
    registry.drain(seat.registration()).expect("it is there");
    let mut drained = pin!(registry.drained(seat.registration()));
    assert!(poll!(drained.as_mut()).is_pending());
    upstream.go_on();
    let body = timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
    assert_eq!(body.to_bytes(), "helloworld");
    timeout(LONG, drained).await.expect("nothing is in flight");
}

struct Reply(Response<Body>);

macro_rules! replies {
    ($($from:ty),*) => {
        $(impl IntoReply<Reply> for $from {
            fn into_reply(self) -> Reply {
                Reply(self.into_reply())
            }
        })*
    };
}
replies!(Error, NoUpstream);

impl IntoReply<Reply> for Response<Body> {
    fn into_reply(self) -> Reply {
        Reply(self)
    }
}

chain! {
    struct Again {
        again: Retry<fn(&Reply) -> bool>,
        again_unseen: Retry<fn(&Reply) -> bool>,
        pick: Untried<Pick<Upstream, RoundRobin>>,
        forward: Repeatable<ByLease, Payload>,
    }

    async fn(request: Parts, body: Payload, client: Client) -> Reply {
        tried => if idempotent { again { pick => forward } } else { again_unseen { pick => forward } }
    }
}

fn again(registry: &Members) -> Again {
    Again {
        again: Retry::new((|reply: &Reply| worth_repeating(&reply.0)) as fn(&Reply) -> bool).attempts(2),
        again_unseen: Retry::new((|reply: &Reply| is_unseen(&reply.0)) as fn(&Reply) -> bool).attempts(2),
        pick: pick(registry).untried(),
        forward: Forward::leased(Settings::default()).repeatable(1 << 10),
    }
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_to_another_member_only_where_the_first_has_not_seen_it() {
    for (method, path, status) in
        [("POST", "/", 200), ("GET", "/", 200), ("POST", "/status/503", 503), ("POST", "/closes", 502)]
    {
        let upstream = Scripted::new().await;
        let registry = members(&[nobody().await, upstream.at]);
        let reply = again(&registry).run(head(method, path), Payload::from("a body"), client()).await.0;
        assert_eq!(reply.status(), status, "{method} {path}");
        assert_eq!(upstream.requests(), 1, "{method} {path}");
        assert_eq!(seat(&registry, "0").totals(), totals(0, 0, 1, 0, 0));
    }
    for path in ["/status/503", "/closes", "/breaks"] {
        let (one, other) = (Scripted::new().await, Scripted::new().await);
        one.go_on();
        other.go_on();
        let registry = members(&[one.at, other.at]);
        let reply = again(&registry).run(head("GET", path), Payload::default(), client()).await.0;
        assert!(reply.status().is_server_error());
        assert_eq!((one.requests().min(1), other.requests().min(1)), (1, 1), "{path}");
    }
}
