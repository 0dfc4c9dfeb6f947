//! Children of a run, on each way out.

use std::future::pending;
use std::sync::Arc;

use chain_runtime::tasks::{Child, ChildFailed, ChildPanicked, Refused, Tasks, Work};
use chain_runtime::{IntoReply, chain, node};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use crate::{Log, SECOND};

#[derive(Debug, PartialEq)]
struct Reply(String);

impl IntoReply<Reply> for ChildFailed {
    fn into_reply(self) -> Reply {
        Reply(format!("break: {self}"))
    }
}
impl IntoReply<Reply> for ChildPanicked {
    fn into_reply(self) -> Reply {
        Reply(format!("instead: {self}"))
    }
}
impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply(format!("refused: {self}"))
    }
}

/// What `acts` does.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    AwaitsBoth,
    AwaitsNone,
    AwaitsOneThatPanics,
    AwaitsNoneOfWhichOnePanics,
    DropsOneThatHasPanicked,
    ListensToStop,
    Breaks,
    Panics,
    SpawnsAtOnce,
}

#[node]
async fn acts(act: &Act, work: &Work, log: &Log) -> Result<Reply, ChildFailed> {
    let ok = |text: &str| Ok(Reply(text.to_owned()));
    match act {
        Act::AwaitsBoth => {
            let begun = Instant::now();
            let both = [work.spawn("price", price(10)).await, work.spawn("stock", price(20)).await];
            let mut sum = 0;
            for child in both {
                sum += child.await?;
            }
            Ok(Reply(format!("{sum} after {:?}", begun.elapsed())))
        }
        Act::AwaitsNone => {
            drop(work.spawn("audit", log.work(SECOND)).await);
            ok("replied")
        }
        Act::AwaitsOneThatPanics => {
            let child: Child<()> = work.spawn("price", async { panic!("out of paper") }).await;
            child.await?;
            ok("not reached")
        }
        Act::AwaitsNoneOfWhichOnePanics => {
            drop(work.spawn("audit", log.work(SECOND)).await);
            let panics = async {
                sleep(SECOND / 2).await;
                panic!("out of paper")
            };
            drop::<Child<()>>(work.spawn("price", panics).await);
            ok("not sent")
        }
        Act::DropsOneThatHasPanicked => {
            let child: Child<()> = work.spawn("price", async { panic!("out of paper") }).await;
            sleep(SECOND).await;
            drop(child);
            ok("not sent")
        }
        Act::ListensToStop => {
            let stopping = work.stopping();
            let told = async move {
                stopping.cancelled().await;
                sleep(SECOND / 4).await;
            };
            drop(work.spawn("watch", told).await);
            ok("replied")
        }
        Act::Breaks => {
            drop(work.spawn("audit", log.work(SECOND)).await);
            Err(work.spawn("never", async { panic!("so it breaks") }).await.await.map(|(): ()| ()).unwrap_err())
        }
        Act::Panics => {
            drop(work.spawn("audit", log.work(SECOND)).await);
            yield_now().await;
            panic!("the node itself")
        }
        Act::SpawnsAtOnce => {
            let first = work.try_spawn("price", pending::<()>());
            let second = work.try_spawn("price", pending::<()>());
            Ok(Reply(format!("{} {:?}", first.is_ok(), second.unwrap_err())))
        }
    }
}

async fn price(of: u32) -> u32 {
    sleep(SECOND).await;
    of
}

chain! {
    struct Shop { tasks: Tasks, log: Log }
    async fn(act: Act) -> Reply { tasks => acts }
}

fn shop(tasks: Tasks) -> Shop {
    Shop { tasks, log: Log::default() }
}

#[tokio::test(start_paused = true)]
async fn children_run_at_once_and_what_they_give_is_awaited() {
    let shop = shop(Tasks::new(4));
    assert_eq!(shop.run(Act::AwaitsBoth).await.0, "30 after 1s");
    assert_eq!((shop.tasks.counts().alive, shop.tasks.counts().begun), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_reply_waits_for_the_children_that_nobody_awaited() {
    let shop = shop(Tasks::new(4));
    let begun = Instant::now();
    assert_eq!(shop.run(Act::AwaitsNone).await.0, "replied");
    assert_eq!((shop.log.counts(), begun.elapsed()), ([1, 1, 1], SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_reply_waits_for_so_long_and_then_drops_them_where_they_stand() {
    let shop = shop(Tasks::builder().join_within(SECOND / 2).build());
    let begun = Instant::now();
    assert_eq!(shop.run(Act::AwaitsNone).await.0, "replied");
    assert_eq!(begun.elapsed(), SECOND / 2);
    sleep(SECOND * 2).await;
    assert_eq!((shop.log.counts(), shop.tasks.counts().aborted), ([1, 0, 1], 1));
}

#[tokio::test(start_paused = true)]
async fn a_reply_tells_the_children_to_stop_where_that_is_set() {
    for (tasks, waits) in
        [(Tasks::builder().tells_at_reply().build(), SECOND / 4), (Tasks::builder().build(), SECOND * 5)]
    {
        let (shop, begun) = (shop(tasks), Instant::now());
        assert_eq!(shop.run(Act::ListensToStop).await.0, "replied");
        assert_eq!(begun.elapsed(), waits);
    }
}

#[tokio::test(start_paused = true)]
async fn the_panic_of_a_child_breaks_the_node_that_awaits_it() {
    let shop = shop(Tasks::new(4));
    assert_eq!(shop.run(Act::AwaitsOneThatPanics).await.0, "break: the child `price` panicked: out of paper");
    assert_eq!(shop.tasks.counts().panicked, 1);
}

#[tokio::test(start_paused = true)]
async fn the_panic_of_a_child_that_nobody_awaits_takes_the_place_of_the_reply() {
    let shop = shop(Tasks::new(4));
    for act in [Act::AwaitsNoneOfWhichOnePanics, Act::DropsOneThatHasPanicked] {
        assert_eq!(shop.run(act).await.0, "instead: the child `price` panicked: out of paper");
    }
    assert_eq!(shop.log.counts(), [1, 1, 1], "the others went on to their end");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_breaks_waits_for_its_children() {
    let shop = shop(Tasks::new(4));
    assert_eq!(shop.run(Act::Breaks).await.0, "break: the child `never` panicked: so it breaks");
    assert_eq!(shop.log.counts(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_or_panics_drops_its_children_where_they_stand() {
    let shop = Arc::new(shop(Tasks::new(4)));
    timeout(SECOND / 2, shop.run(Act::AwaitsNone)).await.unwrap_err();
    let of = Arc::clone(&shop);
    assert!(tokio::spawn(async move { of.run(Act::Panics).await }).await.unwrap_err().is_panic());
    yield_now().await;
    assert_eq!((shop.log.counts(), shop.tasks.counts().alive, shop.tasks.counts().aborted), ([2, 0, 2], 0, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_over_the_bound_is_refused_at_once_or_waits() {
    let tasks = Tasks::builder().at_most(1).join_within(SECOND).build();
    let shop = shop(tasks);
    assert_eq!(shop.run(Act::SpawnsAtOnce).await.0, "true Full");
    assert_eq!((shop.tasks.counts().refused, shop.tasks.counts().begun), (1, 1));
    // One after the other, since there is one place.
    assert_eq!(shop.run(Act::AwaitsBoth).await.0, "30 after 2s");
}

/// A reply that is a `Result`: what panicked becomes its error.
#[derive(Debug, PartialEq)]
struct Failed(String);

impl From<ChildPanicked> for Failed {
    fn from(panicked: ChildPanicked) -> Self {
        Self(panicked.to_string())
    }
}

#[node]
async fn loses(work: &Work) -> u32 {
    drop::<Child<()>>(work.spawn("price", async { panic!("out of paper") }).await);
    200
}

chain! {
    struct Fallible { tasks: Tasks }
    async fn() -> Result<u32, Failed> { tasks => loses }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_a_result_is_its_error_then() {
    let failed = Failed("the child `price` panicked: out of paper".to_owned());
    assert_eq!(Fallible { tasks: Tasks::new(4) }.run().await, Err(failed));
}
