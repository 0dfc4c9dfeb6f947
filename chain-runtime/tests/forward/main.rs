//! The forwarding nodes and the members of a registry: which members are asked, what each way out reports about the
//! member, and what stays in flight.
#![cfg(all(feature = "proxy", feature = "retry", feature = "upstream"))]

mod allocations;
mod checks;
mod connections;
mod leased;
mod outcomes;
mod streams;
mod stuck;
#[path = "../support/mod.rs"]
mod support;
mod tries;
mod unseen;
mod upstreams;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::{Body, Client, Error, Forward, Limits, Settings, Upstream};
use chain_runtime::upstream::{Member, Pick, Registry, RoundRobin, Seat, Totals};
use futures_util::poll;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::task::yield_now;
use tokio::time::timeout;

/// Longer than anything takes that comes to its end.
const LONG: Duration = Duration::from_secs(20);

type Members = Arc<Registry<Upstream>>;
type Node = Forward<Pick<Upstream, RoundRobin>, Full<Bytes>>;

/// A registry of these, in the order of their names.
fn members(at: &[SocketAddr]) -> Members {
    let registry = Registry::new();
    for (number, at) in at.iter().enumerate() {
        let upstream = format!("http://{at}").parse().expect("a URL");
        registry.register(Member::new(format!("{number}"), upstream), Duration::MAX).expect("a name");
    }
    Arc::new(registry)
}

fn node(registry: &Members, settings: Settings) -> Node {
    Forward::new(Pick::new(Arc::clone(registry), RoundRobin::new()), settings)
}

fn seat(registry: &Registry<Upstream>, name: &str) -> Arc<Seat<Upstream>> {
    Arc::clone(registry.snapshot().get(name).expect("a member").seat())
}

/// Begins one run after another, and gives each up one poll later than the one before, until one comes to its end, which `ends` is told. What was given up is in flight no more. How many runs
/// were given up that had begun.
async fn given_up_at_each_poll<F: Future>(
    seat: &Seat<Upstream>,
    mut begin: impl FnMut() -> F,
    ends: impl FnOnce(F::Output),
) -> u64 {
    for polls in 0.. {
        let mut run = Box::pin(begin());
        for _ in 0..polls {
            if let Poll::Ready(reply) = poll!(run.as_mut()) {
                ends(reply);
                drop(run);
                assert_eq!(seat.in_flight(), 0, "after {polls} polls");
                return polls - 1;
            }
            assert_eq!(seat.in_flight(), 1);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(run);
        assert_eq!(seat.in_flight(), 0, "after {polls} polls");
    }
    unreachable!("it comes to its end")
}

fn totals(ok: u64, not_ok: u64, failed: u64, timed_out: u64, cancelled: u64) -> Totals {
    let mut totals = Totals::default();
    (totals.ok, totals.not_ok, totals.failed, totals.timed_out, totals.cancelled) =
        (ok, not_ok, failed, timed_out, cancelled);
    totals
}

fn head(method: &str, path: &str) -> Parts {
    Request::builder().method(method).uri(path).header("host", "a").body(()).expect("a request").into_parts().0
}

fn client() -> Client {
    Client::at(([127, 0, 0, 1], 1).into())
}

async fn send(node: &Node, method: &str, path: &str) -> Result<Response<Body>, Error> {
    let body = if method == "GET" { Full::default() } else { Full::from("a body") };
    timeout(LONG, node.enter(head(method, path), body, &client())).await.expect("in time")
}

/// These, and the usual ones.
fn limits(change: impl FnOnce(&mut Limits)) -> Settings {
    let mut limits = Limits::default();
    change(&mut limits);
    Settings::default().limits(limits)
}

/// Sends a request, reads the reply to its end, and lets the connection be given back.
async fn served(node: &Node) {
    let reply = send(node, "GET", "/").await.expect("a reply");
    assert_eq!(reply.status(), 200);
    timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
    settled().await;
}

/// Lets tasks do what they can: that of a connection gives it back to those that are kept.
async fn settled() {
    for _ in 0..10 {
        yield_now().await;
    }
}
