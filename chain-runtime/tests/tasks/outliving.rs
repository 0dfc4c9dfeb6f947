//! `#[cancel(..)]`, and work on the queue behind requests.

use std::time::Duration;

use chain_runtime::tasks::Tasks;
use chain_runtime::{chain, node};
use tokio::time::{sleep, timeout};

use crate::{Log, SECOND};

/// How long the work takes.
struct Takes(Duration);

#[node]
fn charge(takes: &Takes, log: &Log) -> impl Future<Output = ()> + Send + 'static {
    log.work(takes.0)
}

#[node]
fn done() -> u32 {
    200
}

chain! {
    struct Finishes { tasks: Tasks, log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(finish)] charge => done }
}
chain! {
    struct Detaches { tasks: Tasks, log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(detach)] charge => done }
}

type Counted = Tasks;
chain! {
    struct ByAnotherName { work: Counted, log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(detach)] charge => done }
}
chain! {
    struct OfTheProcess { log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(detach)] charge => done }
}

/// A type of a user's own, which is called like that of this crate.
mod own {
    pub(crate) struct Tasks;
}
chain! {
    struct HoldsAnother { held: Option<own::Tasks>, log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(finish)] charge => done }
}
chain! {
    struct BesideAnother { first: own::Tasks, work: Tasks, log: Log }
    async fn(takes: Takes) -> u32 { #[cancel(detach)] charge => done }
}

fn finishes(at_most: usize) -> Finishes {
    Finishes { tasks: Tasks::new(at_most), log: Log::default() }
}

fn detaches(at_most: usize) -> Detaches {
    Detaches { tasks: Tasks::new(at_most), log: Log::default() }
}

#[tokio::test(start_paused = true)]
async fn work_that_finishes_is_counted_until_its_end() {
    let chain = finishes(4);
    timeout(SECOND / 10, chain.run(Takes(SECOND))).await.unwrap_err();
    assert_eq!((chain.log.counts(), chain.tasks.counts().alive), ([1, 0, 0], 1));
    sleep(SECOND).await;
    assert_eq!((chain.log.counts(), chain.tasks.counts().alive, chain.tasks.counts().begun), ([1, 1, 1], 0, 1));
    assert_eq!(chain.run(Takes(SECOND)).await, 200);
    assert_eq!(chain.tasks.counts().begun, 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_a_place_and_one_that_is_cancelled_there_begins_nothing() {
    for is_detached in [false, true] {
        let (finishes, detaches) = (finishes(1), detaches(1));
        let (tasks, log) =
            if is_detached { (&detaches.tasks, &detaches.log) } else { (&finishes.tasks, &finishes.log) };
        let run = async || match is_detached {
            true => detaches.run(Takes(SECOND)).await,
            false => finishes.run(Takes(SECOND)).await,
        };
        let _ = timeout(SECOND / 10, run()).await;
        timeout(SECOND / 10, run()).await.unwrap_err();
        assert_eq!(log.counts(), [1, 0, 1], "the second was dropped unpolled");
        assert_eq!(run().await, 200, "the third had the place of the first");
        sleep(SECOND * 2).await;
        assert_eq!((log.counts(), tasks.counts().begun, tasks.counts().alive), ([2, 2, 3], 2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_does_not_wait_for_detached_work() {
    let chain = detaches(4);
    assert_eq!(timeout(SECOND / 10, chain.run(Takes(SECOND))).await, Ok(200));
    assert_eq!(chain.tasks.counts().alive, 1);
    sleep(SECOND * 2).await;
    assert_eq!((chain.log.counts(), chain.tasks.counts().alive), ([1, 1, 1], 0));
}

#[tokio::test(start_paused = true)]
async fn a_field_under_another_name_of_the_type_is_found() {
    let chain = ByAnotherName { work: Tasks::new(4), log: Log::default() };
    assert_eq!(chain.run(Takes(SECOND)).await, 200);
    assert_eq!(chain.work.counts().alive, 1);
}

#[tokio::test(start_paused = true)]
async fn a_type_of_ones_own_may_be_called_like_that_of_the_field() {
    let chain = BesideAnother { first: own::Tasks, work: Tasks::new(4), log: Log::default() };
    assert_eq!(chain.run(Takes(SECOND)).await, 200);
    assert_eq!(chain.work.counts().alive, 1);
    let own::Tasks = chain.first;
    let chain = HoldsAnother { held: Some(own::Tasks), log: Log::default() };
    assert_eq!(chain.run(Takes(SECOND)).await, 200);
    assert!(chain.held.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_chain_without_tasks_has_those_of_the_process() {
    let before = Tasks::of_process().counts().begun;
    let chain = OfTheProcess { log: Log::default() };
    assert_eq!(chain.run(Takes(SECOND)).await, 200);
    assert_eq!(Tasks::of_process().counts().begun, before + 1);
    sleep(SECOND * 2).await;
    assert_eq!(chain.log.counts(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_work_that_nobody_waits_for_is_counted() {
    let tasks = Tasks::new(4);
    tasks.detach("audit", async { panic!("out of paper") }).await;
    assert!(tasks.behind("audit", async { panic!("out of paper") }));
    sleep(SECOND).await;
    assert_eq!((tasks.counts().panicked, tasks.counts().alive), (2, 0));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "out of paper")]
async fn a_panic_of_work_that_is_waited_for_is_the_waiters() {
    Tasks::new(4).finish("audit", async { panic!("out of paper") }).await
}

#[tokio::test(start_paused = true)]
async fn so_many_run_behind_requests_at_once_and_what_does_not_fit_is_dropped() {
    let tasks = Tasks::builder().queue(3).at_once(2).build();
    let log = Log::default();
    let fitted = [(); 5].map(|()| tasks.behind("warm", log.work(SECOND)));
    assert_eq!(fitted, [true, true, true, false, false]);
    assert_eq!((tasks.counts().dropped, log.counts()), (2, [0, 0, 2]));
    sleep(SECOND / 2).await;
    assert_eq!(log.counts(), [2, 0, 2]);
    sleep(SECOND).await;
    assert_eq!(log.counts(), [3, 2, 4]);
    sleep(SECOND).await;
    assert_eq!((log.counts(), tasks.counts().alive), ([3, 3, 5], 0));
    assert!(tasks.behind("warm", log.work(SECOND)), "there is place again");
}

#[test]
fn outside_of_a_runtime_nothing_is_put_behind_a_request() {
    let tasks = Tasks::new(4);
    assert!(!tasks.behind("warm", async {}));
    assert_eq!((tasks.counts().dropped, tasks.counts().begun, tasks.counts().alive), (1, 0, 0));
}

#[test]
fn a_runtime_that_is_shut_down_gives_all_places_back() {
    let tasks = Tasks::new(2);
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        tasks.detach("audit", log.work(SECOND)).await;
        tokio::task::yield_now().await;
        tasks.detach("audit", log.work(SECOND)).await;
        assert!(tasks.behind("warm", log.work(SECOND)));
    });
    drop(runtime);
    assert_eq!((log.counts()[2], tasks.counts().alive), (3, 0));
}
