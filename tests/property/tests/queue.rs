//! Messages through a chain, as in `examples/queue`: however a run ends, its message is delivered again, done or dead.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chain::poll::{Driven, drive, panic_silently, suspend};
use chain_runtime::{chain, node};
use example::consume;
use example::delivery::{ATTEMPTS, Acks, Delivery, Failed, Message, Queue};
use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

#[allow(dead_code, reason = "its main and its chain")]
#[path = "../../../examples/queue.rs"]
mod example;

/// What becomes of one delivery of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    Fails,
    Panics,
    /// Its run is dropped after so many polls; it suspends twice.
    Dropped(usize),
}

/// What is to become of each message, delivery by delivery. After the last of them it is done.
#[derive(Debug, Default)]
struct Fates(Mutex<BTreeMap<String, VecDeque<Fate>>>);

impl Fates {
    fn next(&self, body: &str) -> Fate {
        let mut fates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fates.get_mut(body).and_then(VecDeque::pop_front).unwrap_or(Fate::Done)
    }
}

#[node]
async fn perform(delivery: &Delivery, fate: &Fate) -> Result<(), Failed> {
    let body = delivery.message.body.clone();
    suspend(2).await;
    assert_eq!(delivery.message.body, body, "it is not settled while it is worked on");
    match fate {
        Fate::Done => Ok(()),
        Fate::Fails => Err(Failed),
        Fate::Panics => panic_silently("a bug"),
        Fate::Dropped(_) => std::future::pending().await,
    }
}

chain! {
    struct Consumer;
    async fn(delivery: Delivery, fate: Fate) -> Result<(), Failed> { Acks => perform }
}

type Ends = UnboundedReceiver<Result<String, String>>;

fn queue(bodies: impl IntoIterator<Item = String>) -> (Queue, UnboundedReceiver<Message>, Ends) {
    let ((ready, messages), (ended, ends)) = (unbounded_channel(), unbounded_channel());
    for body in bodies {
        ready.send(Message { body, failures: 0 }).expect("there is a receiver");
    }
    (Queue { ready, ended }, messages, ends)
}

/// How a message ends, and after how many deliveries: the model.
fn expected(body: &str, fates: &[Fate]) -> (Result<String, String>, usize) {
    let (mut failures, mut deliveries) = (0, 0);
    for fate in fates.iter().copied().chain([Fate::Done]) {
        deliveries += 1;
        match fate {
            Fate::Done => return (Ok(body.to_owned()), deliveries),
            Fate::Fails | Fate::Panics => failures += 1,
            Fate::Dropped(_) => {}
        }
        if failures == ATTEMPTS {
            return (Err(body.to_owned()), deliveries);
        }
    }
    unreachable!("the last fate is to be done")
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Done), Just(Fate::Fails), Just(Fate::Panics), (0..4_usize).prop_map(Fate::Dropped)]
}

fn some_fates() -> impl Strategy<Value = BTreeMap<String, Vec<Fate>>> {
    proptest::collection::vec(proptest::collection::vec(fate(), 0..8), 0..12)
        .prop_map(|all| all.into_iter().enumerate().map(|(index, fates)| (format!("message {index}"), fates)).collect())
}

proptest! {
    #![proptest_config(chain_property::cases(256))]

    #[test]
    fn each_message_ends_once_as_the_model_says(all in some_fates()) {
        let (queue, mut messages, mut ends) = queue(all.keys().cloned());
        let fates = Fates(Mutex::new(all.iter().map(|(body, fates)| (body.clone(), fates.clone().into())).collect()));
        let mut deliveries = BTreeMap::<String, usize>::new();
        while let Ok(message) = messages.try_recv() {
            let (body, fate) = (message.body.clone(), fates.next(&message.body));
            *deliveries.entry(body.clone()).or_default() += 1;
            let polls = if let Fate::Dropped(polls) = fate { polls } else { 9 };
            let driven = drive(Consumer.run(Delivery::new(message, &queue), fate), polls);
            let as_told = match fate {
                Fate::Done => matches!(driven, Driven::Ready(Ok(()))),
                Fate::Fails => matches!(driven, Driven::Ready(Err(Failed))),
                Fate::Panics => driven.is_panicked(),
                Fate::Dropped(_) => driven.is_dropped(),
            };
            prop_assert!(as_told, "{fate:?}");
        }
        let mut ended = BTreeMap::new();
        while let Ok(end) = ends.try_recv() {
            let body = end.as_ref().unwrap_or_else(|body| body).clone();
            prop_assert!(ended.insert(body, end).is_none(), "it ends twice");
        }
        for (body, fates) in &all {
            let (end, count) = expected(body, fates);
            prop_assert_eq!(ended.remove(body), Some(end));
            prop_assert_eq!(deliveries.remove(body), Some(count));
        }
        prop_assert!(ended.is_empty() && deliveries.is_empty());
    }
}

#[test]
fn a_delivery_whose_run_is_never_polled_goes_back() {
    let (queue, mut messages, mut ends) = queue(["a".to_owned()]);
    let message = messages.try_recv().expect("it was put");
    drop(Consumer.run(Delivery::new(message, &queue), Fate::Done));
    assert_eq!(messages.try_recv(), Ok(Message { body: "a".to_owned(), failures: 0 }));
    assert!(ends.try_recv().is_err());
}

/// Which messages have hung, and so stopped a consumer at least once.
#[derive(Default)]
struct Hung(Mutex<BTreeSet<String>>);

/// What becomes of a message is in its body, and in how often it failed: a run that is stopped does not change it.
#[node]
async fn by_body(delivery: &Delivery, hung: &Hung) -> Result<(), Failed> {
    let Message { body, failures } = &delivery.message;
    let fate = match (body.split(' ').next(), failures) {
        (Some("poison"), _) | (Some("flaky"), 1) => Fate::Panics,
        (Some("hopeless"), _) | (Some("flaky"), 0) => Fate::Fails,
        (Some("stuck"), _) if hung.0.lock().unwrap_or_else(PoisonError::into_inner).insert(body.clone()) => {
            Fate::Dropped(0)
        }
        _ => Fate::Done,
    };
    tokio::task::yield_now().await;
    perform(delivery, &fate).await
}

chain! {
    #[derive(Default)]
    struct Service { hung: Hung }
    async fn(delivery: Delivery) -> Result<(), Failed> { Acks => by_body }
}

/// Consumers are stopped and started over and over while a hundred messages fail, panic, and hang.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_that_are_stopped_at_any_time_lose_no_message() {
    let kinds = ["poison", "flaky", "stuck", "hopeless", "fine"];
    let bodies: Vec<_> = (0..100).map(|index| format!("{} {index}", kinds[index % kinds.len()])).collect();
    let (queue, mut messages, mut ends) = queue(bodies.iter().cloned());
    let service = Arc::new(Service::default());
    let mut ended = BTreeMap::new();
    let all = async {
        while ended.len() < bodies.len() {
            let stop = CancellationToken::new();
            let run = |delivery| {
                let service = Arc::clone(&service);
                async move { service.run(delivery).await }
            };
            let stopping = async {
                tokio::time::sleep(Duration::from_micros(200 + 100 * (ended.len() as u64 % 7))).await;
                stop.cancel();
            };
            tokio::join!(consume(&queue, &mut messages, stop.clone(), run), stopping);
            while let Ok(end) = ends.try_recv() {
                let body = end.as_ref().unwrap_or_else(|body| body).clone();
                assert!(ended.insert(body, end.is_ok()).is_none(), "it ends twice");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("all messages end");
    for body in &bodies {
        let is_done = !body.starts_with("poison") && !body.starts_with("hopeless");
        assert_eq!(ended.get(body), Some(&is_done), "{body}");
    }
    assert!(messages.try_recv().is_err(), "none is left, and none is there twice");
}
