//! A graceful stop: which work is waited for, and what is left.

use std::future::pending;

use chain_runtime::tasks::{Child, ChildFailed, Refused, Tasks, Work};
use chain_runtime::{IntoReply, chain, node};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use crate::{Log, SECOND};

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_all_and_leaves_nothing() {
    let (tasks, log) = (Tasks::new(8), Log::default());
    tasks.detach("audit", log.work(SECOND)).await;
    for _ in 0..6 {
        assert!(tasks.behind("warm", log.work(SECOND)));
    }
    let begun = Instant::now();
    let left = tasks.stop(SECOND * 9).await;
    // Four at once, so two rounds.
    assert_eq!((left.to_string().as_str(), left.is_empty(), begun.elapsed()), ("nothing", true, SECOND * 2));
    assert_eq!(log.counts(), [7, 7, 7]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_after_the_limit_is_named_by_node_and_dropped() {
    let (tasks, log) = (Tasks::builder().at_most(8).queue(8).at_once(1).build(), Log::default());
    for _ in 0..2 {
        tasks.detach("charge", log.work(SECOND * 5)).await;
        assert!(tasks.behind("audit", log.work(SECOND * 5)));
    }
    tasks.detach("quick", log.work(SECOND)).await;
    let begun = Instant::now();
    let left = tasks.stop(SECOND * 2).await;
    assert_eq!((left.to_string().as_str(), left.total(), begun.elapsed()), ("2 of audit, 2 of charge", 4, SECOND * 2));
    assert_eq!(left.iter().collect::<Vec<_>>(), [("audit", 2), ("charge", 2)]);
    yield_now().await;
    assert_eq!(log.counts(), [4, 1, 5], "one of `audit` never had its turn");
    assert_eq!((tasks.counts().alive, tasks.counts().aborted), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_new_begins() {
    let tasks = Tasks::new(8);
    assert!(tasks.stop(SECOND).await.is_empty());
    tasks.detach("audit", async { panic!("it never begins") }).await;
    assert!(!tasks.behind("audit", async { panic!("it never begins") }));
    assert_eq!((tasks.counts().begun, tasks.counts().refused, tasks.counts().dropped), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_request_waits_for_begins_until_the_end_of_the_stop() {
    let tasks = Tasks::new(8);
    tasks.detach("audit", sleep(SECOND)).await;
    let late = async {
        sleep(SECOND / 2).await;
        tasks.finish("charge", async { sleep(SECOND).await }).await;
        Instant::now()
    };
    let stop = async {
        let left = tasks.stop(SECOND * 9).await;
        (left, Instant::now())
    };
    let (charged, (left, stopped)) = tokio::join!(late, stop);
    assert!(left.is_empty());
    assert_eq!(charged, stopped);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the tasks were stopped before the work was done")]
async fn one_who_waits_for_work_that_a_stop_dropped_is_told_so() {
    let tasks = Tasks::new(8);
    let _ = tokio::join!(tasks.finish("charge", pending::<()>()), tasks.stop(SECOND));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_when_the_tasks_are_stopped_begins_nothing() {
    let (tasks, log) = (Tasks::new(1), Log::default());
    tasks.detach("audit", log.work(SECOND * 9)).await;
    let waits = timeout(SECOND * 3, tasks.detach("audit", log.work(SECOND)));
    let (waited, left) = tokio::join!(waits, tasks.stop(SECOND));
    assert_eq!(waited, Ok(()));
    yield_now().await;
    assert_eq!((left.to_string().as_str(), log.counts()), ("1 of audit", [1, 0, 2]));
}

#[derive(Debug)]
struct Reply(String);

impl<E: std::error::Error> From<E> for Reply {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
impl IntoReply<Reply> for chain_runtime::tasks::ChildPanicked {
    fn into_reply(self) -> Reply {
        self.into()
    }
}

#[node]
async fn watch(work: &Work) -> Reply {
    let stopping = work.stopping();
    let listens = work.spawn("listens", async move { stopping.cancelled().await }).await;
    let never: Child<()> = work.spawn("never", pending()).await;
    assert!(listens.await.is_ok());
    assert_eq!(work.try_spawn("late", async {}).unwrap_err(), Refused::Stopped);
    let late = work.spawn("late", async { panic!("it never begins") }).await.await.unwrap_err();
    assert!(matches!(late, ChildFailed::Cancelled(cancelled) if cancelled.name() == "late"));
    never.await.unwrap_err().into()
}

chain! {
    struct Watches { tasks: Tasks }
    async fn() -> Reply { tasks => watch }
}

#[tokio::test(start_paused = true)]
async fn a_stop_tells_the_children_and_drops_those_that_do_not_listen() {
    let chain = Watches { tasks: Tasks::new(8) };
    let (reply, left) = tokio::join!(chain.run(), async {
        sleep(SECOND).await;
        chain.tasks.stop(SECOND).await
    });
    assert_eq!(left.to_string(), "1 of never");
    assert_eq!(reply.0, "the child `never` was dropped before it was done");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_called_again_waits_again() {
    let (tasks, log) = (Tasks::new(1), Log::default());
    tasks.detach("audit", log.work(SECOND * 3)).await;
    timeout(SECOND, tasks.stop(SECOND * 9)).await.unwrap_err();
    assert_eq!(log.counts(), [1, 0, 0], "who gave up waiting dropped nothing");
    assert!(tasks.stop(SECOND * 9).await.is_empty());
    assert_eq!(log.counts(), [1, 1, 1]);
}

/// Names are literals, as a rule. Who makes them up has no more memory kept for them than for 256.
#[tokio::test(start_paused = true)]
async fn names_past_the_256th_are_counted_together() {
    let tasks = Tasks::new(300);
    for number in 0..300 {
        let name: &'static str = Box::leak(format!("{number:03}").into_boxed_str());
        tasks.detach(name, pending::<()>()).await;
    }
    let left = tasks.stop(SECOND).await;
    assert_eq!((left.iter().len(), left.total(), left.iter().next()), (257, 300, Some(("(others)", 44))));
}

#[cfg(feature = "tracing")]
mod logged {
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;

    /// Writes down the fields of each warning.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() != "message" {
                self.0 += &format!("{}={value:?} ", field.name());
            }
        }
    }

    impl Subscriber for Lines {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_a_warning_for_each_name() {
        let lines = Lines::default();
        let _logged = tracing::subscriber::set_default(lines.clone());
        let tasks = Tasks::new(8);
        for node in ["charge", "audit", "charge"] {
            tasks.detach(node, pending::<()>()).await;
        }
        assert_eq!(tasks.stop(SECOND).await.total(), 3);
        assert_eq!(*lines.0.lock().unwrap(), ["node=\"audit\" left=1 ", "node=\"charge\" left=2 "]);
    }
}
