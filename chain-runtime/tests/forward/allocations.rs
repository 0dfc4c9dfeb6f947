//! The allocations of a request, whatever picks its upstream.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use chain_runtime::chain;
use chain_runtime::proxy::{Body, ByLease, Client, Error, Forward, Rotation, Settings, Upstream};
use chain_runtime::upstream::{PeakEwma, Pick};
use http::Response;
use http::request::Parts;
use http_body_util::{BodyExt as _, Full};

use super::support::ALLOCATIONS;
use super::upstreams::Scripted;
use super::{client, head, members};

type Payload = Full<Bytes>;
type Reply = Result<Response<Body>, Error>;

chain! {
    struct InTurn { forward: Forward<Rotation, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Reply { forward }
}

chain! {
    struct Picks { forward: Forward<Pick<Upstream, PeakEwma>, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Reply { forward }
}

chain! {
    struct Leases { pick: Pick<Upstream, PeakEwma>, forward: Forward<ByLease, Payload> }
    async fn(request: Parts, body: Payload, client: Client) -> Reply { pick => forward }
}

/// Counts what is allocated while this future is polled: not by the connection's task, and not by the upstream.
struct Counted<'a, F> {
    future: Pin<&'a mut F>,
    count: &'a mut u64,
}

impl<F: Future> Future for Counted<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = ALLOCATIONS.get();
        let polled = self.future.as_mut().poll(context);
        *self.count += ALLOCATIONS.get() - before;
        polled
    }
}

/// What a thousand requests allocate, with their bodies, once all is warm.
async fn allocated(run: impl AsyncFn(Parts) -> Reply) -> u64 {
    let mut count = 0;
    for request in 0..1_100 {
        if request == 100 {
            count = 0;
        }
        let head = head("GET", "/path?query");
        let mut whole = pin!(async {
            let reply = run(head).await.expect("a reply");
            let mut body = pin!(reply.into_body());
            while let Some(frame) = body.frame().await {
                frame.expect("a part");
            }
        });
        Counted { future: whole.as_mut(), count: &mut count }.await;
        tokio::task::yield_now().await;
    }
    count
}

#[tokio::test]
async fn to_pick_a_member_allocates_nothing_more_than_to_take_turns() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let group = Rotation::new([format!("http://{}", upstream.at).parse().expect("a URL")]);
    let in_turn = InTurn { forward: Forward::to(group) };
    let picks = Picks { forward: Forward::to(Pick::new(Arc::clone(&registry), PeakEwma::new())) };
    let leases = Leases { pick: Pick::new(registry, PeakEwma::new()), forward: Forward::leased(Settings::default()) };

    let turns = allocated(async |head| in_turn.run(head, Payload::default(), client()).await).await;
    let picked = allocated(async |head| picks.run(head, Payload::default(), client()).await).await;
    let leased = allocated(async |head| leases.run(head, Payload::default(), client()).await).await;
    println!("allocations of 1,000 requests: {turns} in turn, {picked} picked, {leased} by lease");
    assert!(picked <= turns && leased <= turns, "{turns} in turn, {picked} picked, {leased} by lease");
}
