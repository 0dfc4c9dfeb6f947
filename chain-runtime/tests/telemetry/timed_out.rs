//! Late nodes, and work that goes on without its request, are counted as such.

use std::time::Duration;

use chain_runtime::around::Expired;
use chain_runtime::telemetry::{Meter, Outcome};
use chain_runtime::{IntoReply, chain, node};

struct Gave(u32);

impl IntoReply<Gave> for Expired {
    fn into_reply(self) -> Gave {
        Gave(504)
    }
}

#[node]
async fn slow(millis: u64) -> Gave {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Gave(200)
}

chain! {
    #[observe(meter)]
    struct Late { meter: Meter }
    async fn(millis: u64) -> Gave { #[timeout(5ms)] slow }
}

#[node]
fn work() -> impl Future<Output = ()> + Send + 'static {
    tokio::time::sleep(Duration::from_millis(50))
}
#[node]
fn done() -> Gave {
    Gave(201)
}

chain! {
    #[observe(meter)]
    struct Finishes { meter: Meter }
    async fn() -> Gave { #[cancel(finish)] work => done }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_late_breaks() {
    let late = Late { meter: Meter::of(Late::CHAIN) };
    for (millis, reply) in [(0, 200), (10, 504), (1, 200), (60, 504)] {
        assert_eq!(late.run(millis).await.0, reply);
    }
    let slow = &late.meter.snapshot().nodes[0];
    assert_eq!((slow.entered, slow.late, slow.broke, slow.cut_short, slow.replied), (4, 2, 2, 2, 2));
    assert_eq!(late.meter.kept().failed.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn work_that_goes_on_without_its_request_is_counted() {
    let finishes = Finishes { meter: Meter::of(Finishes::CHAIN) };
    assert_eq!(finishes.run().await.0, 201);
    let died = tokio::time::timeout(Duration::from_millis(5), finishes.run()).await;
    assert!(died.is_err());
    let work = &finishes.meter.snapshot().nodes[0];
    assert_eq!((work.entered, work.detached, work.cancelled, work.died, work.late), (2, 1, 1, 1, 0));
    let kept = finishes.meter.kept();
    assert_eq!(kept.failed[0].outcome, Outcome::Cancelled(Some(&Finishes::NODES[0])));
}
