//! `cancel::finish` and `cancel::detach`: work that goes on when the code that asked for it is gone.
#![cfg(feature = "tokio")]

mod support;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::time::Duration;

use chain_runtime::around::Deadline;
use chain_runtime::cancel::{detach, finish};
use support::ALLOCATIONS;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::yield_now;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Counts itself as begun when it is polled, as ended when it is done, as gone when it is dropped.
#[derive(Clone, Default)]
struct Log {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    gone: Arc<AtomicUsize>,
}

struct Gone(Log);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Relaxed);
    }
}

impl Log {
    fn work(&self, takes: Duration) -> impl Future<Output = ()> + Send + 'static {
        let gone = Gone(self.clone());
        async move {
            gone.0.begun.fetch_add(1, Relaxed);
            tokio::time::sleep(takes).await;
            gone.0.ended.fetch_add(1, Relaxed);
        }
    }

    fn counts(&self) -> [usize; 3] {
        [&self.begun, &self.ended, &self.gone].map(|count| count.load(Relaxed))
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn finish_gives_the_output() {
    assert_eq!(
        runtime().block_on(finish(async {
            yield_now().await;
            String::from("done")
        })),
        "done"
    );
}

#[test]
fn a_waiter_that_is_dropped_leaves_the_work_to_its_end() {
    let log = Log::default();
    runtime().block_on(async {
        tokio::time::timeout(SECOND / 10, finish(log.work(SECOND))).await.unwrap_err();
        assert_eq!(log.counts(), [1, 0, 0]);
        tokio::time::sleep(SECOND).await;
        assert_eq!(log.counts(), [1, 1, 1]);
    });
}

#[test]
fn nothing_begins_before_the_first_poll() {
    let log = Log::default();
    runtime().block_on(async {
        let mut waiter = Box::pin(finish(log.work(SECOND)));
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(log.counts(), [0, 0, 0]);
        assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(waiter);
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(log.counts(), [1, 1, 1]);

        drop(finish(log.work(SECOND)));
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(log.counts(), [1, 1, 2], "dropped unpolled");
    });
    // To make it needs no runtime: only to poll it does.
    drop(finish(log.work(SECOND)));
}

#[test]
fn a_panic_of_the_work_is_the_waiters() {
    let panicked = catch_unwind(|| runtime().block_on(finish(async { panic!("out of paper") })));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"out of paper"));
}

#[test]
fn a_panic_of_work_that_nobody_waits_for_disturbs_nobody() {
    runtime().block_on(async {
        detach(async { panic!("out of paper") });
        tokio::time::sleep(SECOND).await;
    });
}

#[test]
fn detached_work_runs_without_being_waited_for() {
    let log = Log::default();
    runtime().block_on(async {
        detach(log.work(SECOND));
        assert_eq!(log.counts(), [0, 0, 0]);
        tokio::time::sleep(SECOND * 2).await;
    });
    assert_eq!(log.counts(), [1, 1, 1]);
}

#[test]
fn at_shutdown_the_work_is_dropped_where_it_stands() {
    let log = Log::default();
    let runtime = runtime();
    runtime.block_on(async {
        detach(log.work(SECOND));
        yield_now().await;
    });
    let unpolled = {
        let _entered = runtime.enter();
        detach(log.work(SECOND));
        log.counts()
    };
    assert_eq!(unpolled, [1, 0, 0]);
    drop(runtime);
    assert_eq!(log.counts(), [1, 0, 2]);
}

#[test]
fn one_who_waits_on_another_runtime_is_told_of_the_shutdown() {
    let works = runtime();
    let mut waiter = pin!(finish(std::future::pending::<()>()));
    {
        let _entered = works.enter();
        assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(works);
    let waited = catch_unwind(AssertUnwindSafe(|| runtime().block_on(waiter)));
    assert_eq!(waited.unwrap_err().downcast_ref(), Some(&"the runtime was shut down before the work was done"));
}

#[test]
fn outside_of_a_runtime_both_panic_in_tokios_words() {
    const WORDS: &str = "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
    let polled = catch_unwind(|| pin!(finish(async {})).poll(&mut Context::from_waker(Waker::noop())));
    let detached = catch_unwind(|| detach(async {}));
    for panicked in [polled.unwrap_err(), detached.unwrap_err()] {
        let said = panicked.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panicked.downcast_ref::<String>().cloned());
        assert_eq!(said.as_deref(), Some(WORDS));
    }
}

#[test]
fn the_work_inherits_no_deadline() {
    runtime().block_on(async {
        let block = pin!(async {
            assert!(Deadline::current().is_some());
            let (told, inherited) = oneshot::channel();
            detach(async move { told.send(Deadline::current()) });
            (finish(async { Deadline::current() }).await, inherited.await.unwrap())
        });
        assert_eq!(Deadline::within(SECOND).around(block).await, Ok((None, None)));
    });
}

/// One for each task, which holds the work; work over a limit is boxed by tokio first.
#[test]
fn a_task_is_one_allocation() {
    fn of<const BYTES: usize>() -> (u64, u64) {
        let work = || {
            let held = [0_u8; BYTES];
            async move {
                yield_now().await;
                held.len()
            }
        };
        let runtime = runtime();
        runtime.block_on(async {
            finish(work()).await; // Warms up the runtime's queue.
            let before = ALLOCATIONS.get();
            assert_eq!(finish(work()).await, BYTES);
            let finished = ALLOCATIONS.get() - before;
            detach(work());
            (finished, ALLOCATIONS.get() - before - finished)
        })
    }
    assert_eq!(of::<64>(), (1, 1));
    assert_eq!(of::<1024>(), (1, 1));
    assert_eq!(of::<20_000>(), (2, 2));
}

/// The work is moved into the task, so the future is the work and a handle.
#[test]
fn the_future_is_the_work_and_two_words() {
    let work = {
        let held = [0_u8; 4096];
        async move {
            yield_now().await;
            held.len()
        }
    };
    let bytes = size_of_val(&work);
    assert!(size_of_val(&finish(work)) <= bytes + 2 * size_of::<usize>());
}
