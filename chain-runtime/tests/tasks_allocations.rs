//! The cost of `tasks`: allocations, and bytes of a run's future.
#![cfg(feature = "tokio")]

mod support;

use chain_runtime::tasks::{ChildFailed, ChildPanicked, Tasks, Work};
use chain_runtime::{chain, node};
use support::ALLOCATIONS;
use tokio::task::yield_now;

/// How many children.
struct Few(usize);

#[derive(Debug, PartialEq)]
struct Failed;
impl From<ChildFailed> for Failed {
    fn from(_: ChildFailed) -> Self {
        Self
    }
}
impl From<ChildPanicked> for Failed {
    fn from(_: ChildPanicked) -> Self {
        Self
    }
}

#[node]
async fn spawns(few: &Few, work: &Work) -> Result<usize, ChildFailed> {
    for _ in 0..few.0 {
        work.spawn("child", yield_now()).await.await?;
    }
    Ok(few.0)
}

chain! {
    struct Spawns { tasks: Tasks }
    async fn(few: Few) -> Result<usize, Failed> { tasks => spawns }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn a_run_without_children_allocates_nothing_and_one_with_some_five_times_and_twice_for_each() {
    let chain = Spawns { tasks: Tasks::new(4) };
    runtime().block_on(async {
        let allocated = async |few| {
            let before = ALLOCATIONS.get();
            assert_eq!(chain.run(Few(few)).await, Ok(few));
            ALLOCATIONS.get() - before
        };
        // The name's place, and the runtime's queue.
        allocated(1).await;
        assert_eq!([allocated(0).await, allocated(1).await, allocated(2).await, allocated(10).await], [0, 7, 9, 25]);
    });
}

#[test]
fn work_that_outlives_its_request_allocates_once() {
    let tasks = Tasks::new(4);
    runtime().block_on(async {
        tasks.finish("charge", yield_now()).await;
        let before = ALLOCATIONS.get();
        tasks.finish("charge", yield_now()).await;
        let finished = ALLOCATIONS.get();
        tasks.detach("charge", yield_now()).await;
        let detached = ALLOCATIONS.get();
        assert!(tasks.behind("charge", yield_now()));
        assert_eq!([finished - before, detached - finished, ALLOCATIONS.get() - detached], [1, 1, 1]);
    });
}

/// The work waits in the future for its place, and is moved into the task then.
#[test]
fn the_future_is_the_work_and_little_more() {
    let work = || {
        let held = [0_u8; 4096];
        async move {
            yield_now().await;
            assert_eq!(held.len(), 4096);
        }
    };
    let (tasks, bytes) = (Tasks::new(4), size_of_val(&work()));
    let more = [size_of_val(&tasks.finish("charge", work())), size_of_val(&tasks.detach("charge", work()))];
    assert!(more.iter().all(|size| *size <= bytes + 160), "{more:?} of {bytes}");
}
