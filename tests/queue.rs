//! A consumer of a queue: whatever becomes of the runs, no message is lost, and each is acked or buried in the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use chain::poll::suspend;
use chain_runtime::{chain, node};
use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[allow(dead_code, reason = "its main")]
#[path = "../examples/queue.rs"]
mod example;

use example::{Delivery, Message};

/// What becomes of one run.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Succeeds,
    Fails,
    Panics,
    /// After so many polls, of which the last one may be before the delivery.
    Dropped(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Succeeds),
        2 => Just(Fate::Fails),
        2 => Just(Fate::Panics),
        3 => (1_usize..4).prop_map(Fate::Dropped),
    ]
}

#[node]
async fn work(_message: &Message, fate: &Fate) -> Result<(), &'static str> {
    suspend(3).await;
    match fate {
        Fate::Panics => panic!("as it was asked"),
        Fate::Fails => Err("as it was asked"),
        Fate::Succeeds | Fate::Dropped(_) => Ok(()),
    }
}

chain! {
    struct Consumer { delivery: Delivery }
    async fn(message: Message, fate: Fate) -> Result<(), &'static str> { delivery => work }
}

/// Runs one message as it is fated.
fn run(consumer: &Consumer, message: Message, fate: Fate) {
    let polls = if let Fate::Dropped(polls) = fate { polls } else { usize::MAX };
    // The panic is the test's own.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut future = pin!(consumer.run(message, fate));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            if future.as_mut().poll(&mut context).is_ready() {
                return;
            }
        }
    }));
}

fn drained(queue: &mut UnboundedReceiver<Message>) -> Vec<Message> {
    std::iter::from_fn(|| queue.try_recv().ok()).collect()
}

/// What has to become of a message with these fates, told without a chain: it is done at the first success, and dead at the third failure.
fn foretold(fates: &[Fate]) -> Result<u32, ()> {
    let mut failures = 0;
    for fate in fates {
        match fate {
            Fate::Succeeds => return Ok(failures),
            Fate::Dropped(_) => {}
            Fate::Fails | Fate::Panics => failures += 1,
        }
        if failures == 3 {
            return Err(());
        }
    }
    // Fates that are over: it succeeds.
    Ok(failures)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_message_is_lost(fates in prop::collection::vec(prop::collection::vec(fate(), 0..8), 1..8)) {
        let (again, mut queue) = unbounded_channel();
        let (done, mut acked) = unbounded_channel();
        let (dead, mut buried) = unbounded_channel();
        let names: Vec<_> = (0..fates.len()).map(|index| index.to_string()).collect();
        for text in names.iter().cloned() {
            again.send(Message { text, failures: 0 }).expect("the queue is there");
        }
        let consumer = Consumer { delivery: Delivery { again, done, dead } };
        let mut runs = vec![0; fates.len()];
        while let Ok(message) = queue.try_recv() {
            let index: usize = message.text.parse().expect("it is a number");
            let fate = fates[index].get(runs[index]).copied().unwrap_or(Fate::Succeeds);
            runs[index] += 1;
            run(&consumer, message, fate);
        }
        let (mut acked, mut buried) = (drained(&mut acked), drained(&mut buried));
        acked.sort_by(|one, other| one.text.cmp(&other.text));
        buried.sort_by(|one, other| one.text.cmp(&other.text));
        let of = |is_done: bool| {
            names.iter().zip(&fates).filter_map(move |(text, fates)| match foretold(fates) {
                Ok(failures) if is_done => Some(Message { text: text.clone(), failures }),
                Err(()) if !is_done => Some(Message { text: text.clone(), failures: 3 }),
                _ => None,
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(acked, of(true));
        prop_assert_eq!(buried, of(false));
    }
}

#[test]
fn what_was_never_polled_was_never_delivered() {
    let (again, mut queue) = unbounded_channel();
    let (done, mut acked) = unbounded_channel();
    let (dead, mut buried) = unbounded_channel();
    let consumer = Consumer { delivery: Delivery { again, done, dead } };
    drop(consumer.run(Message { text: "a".to_owned(), failures: 0 }, Fate::Succeeds));
    drop(consumer);
    for channel in [&mut queue, &mut acked, &mut buried] {
        assert_eq!(drained(channel), []);
    }
}
