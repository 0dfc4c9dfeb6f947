//! A queue's consumer: a message is off the queue for good when the chain has replied, and goes back where it failed, panicked or was dropped.

use std::panic::AssertUnwindSafe;

use chain_runtime::{chain, node};
use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) failures: u32,
}

/// Knows of every message what became of it. It stands before the nodes that work on one.
pub(crate) struct Delivery {
    pub(crate) again: UnboundedSender<Message>,
    pub(crate) done: UnboundedSender<Message>,
    pub(crate) dead: UnboundedSender<Message>,
}

pub(crate) struct Delivered(Message);

#[node]
impl Delivery {
    pub(crate) fn enter(&self, message: &Message) -> Delivered {
        Delivered(message.clone())
    }
    /// Acks, or nacks.
    pub(crate) fn exit(&self, delivered: &Delivered, reply: &Result<(), &'static str>) {
        if reply.is_ok() { _ = self.done.send(delivered.0.clone()) } else { self.failed(&delivered.0) }
    }
    /// A message that panicked has failed. One that was dropped midway has not, and is as it was.
    pub(crate) fn cancelled(&self, delivered: &Delivered) {
        let is_panic = std::thread::panicking();
        if is_panic { self.failed(&delivered.0) } else { _ = self.again.send(delivered.0.clone()) }
    }
}

impl Delivery {
    /// Back into the queue, but not for ever. Sending fails where nobody listens any more, and then who sent the message has it still.
    fn failed(&self, message: &Message) {
        let message = Message { failures: message.failures + 1, ..message.clone() };
        _ = if message.failures < 3 { self.again.send(message) } else { self.dead.send(message) };
    }
}

#[node]
async fn work(message: &Message) -> Result<(), &'static str> {
    tokio::task::yield_now().await;
    match message.text.as_str() {
        "poison" => panic!("as it was asked"),
        "late" if message.failures == 0 => Err("not yet"),
        _ => Ok(()),
    }
}

chain! {
    struct Consumer { delivery: Delivery }
    async fn(message: Message) -> Result<(), &'static str> { delivery => work }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ((again, mut queue), (done, mut acked), (dead, mut buried)) =
        (unbounded_channel(), unbounded_channel(), unbounded_channel());
    for text in ["quick", "late", "poison"] {
        again.send(Message { text: text.to_owned(), failures: 0 }).expect("the queue is there");
    }
    let consumer = Consumer { delivery: Delivery { again, done, dead } };
    while let Ok(message) = queue.try_recv() {
        println!("{message:?}: {:?}", AssertUnwindSafe(consumer.run(message.clone())).catch_unwind().await);
    }
    println!("done: {:?}, {:?}", acked.recv().await, acked.try_recv());
    println!("dead: {:?}", buried.recv().await);
}
