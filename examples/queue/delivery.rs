//! A queue within the process: a message is delivered until it is done or dead, at least once.

use std::mem;

use chain_runtime::node;
use tokio::sync::mpsc::UnboundedSender;

/// After so many failures, a panic being one, a message is dead.
pub(crate) const ATTEMPTS: u32 = 3;

#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) failures: u32,
}

/// Where messages wait, without a bound so that one can always go back, and where they end: `Ok` if done, `Err` if dead.
#[derive(Clone)]
pub(crate) struct Queue {
    pub(crate) ready: UnboundedSender<Message>,
    pub(crate) ended: UnboundedSender<Result<String, String>>,
}

/// A message that somebody works on. Dropped before it is settled, it goes back. No `cancelled` hook could do that where a run is
/// dropped before its first poll: no node was entered then.
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// `None` once it is settled.
    queue: Option<Queue>,
}

impl Delivery {
    pub(crate) fn new(message: Message, queue: &Queue) -> Self {
        Self { message, queue: Some(queue.clone()) }
    }

    /// Says that it is done.
    pub(crate) fn ack(&mut self) {
        if let Some(queue) = self.queue.take() {
            // Here as below: where nobody receives any more, the queue itself is gone.
            let _ = queue.ended.send(Ok(mem::take(&mut self.message.body)));
        }
    }

    /// Has it delivered once more, and counts if that is the message's own fault.
    pub(crate) fn nack(&mut self, failed: bool) {
        let Some(queue) = self.queue.take() else { return };
        let (body, failures) = (mem::take(&mut self.message.body), self.message.failures + u32::from(failed));
        match failures {
            ATTEMPTS.. => drop(queue.ended.send(Err(body))),
            _ => drop(queue.ready.send(Message { body, failures })),
        }
    }
}

impl Drop for Delivery {
    /// That its run was dropped is not the message's fault; that it panicked is.
    fn drop(&mut self) {
        self.nack(std::thread::panicking());
    }
}

/// What the reply says where the message could not be worked on.
#[derive(Debug)]
pub(crate) struct Failed;

/// Settles the delivery by the reply: a node for the beginning of a chain.
pub(crate) struct Acks;

#[node(stateless)]
impl Acks {
    pub(crate) fn exit(&self, delivery: &mut Delivery, reply: &Result<(), Failed>) {
        match reply {
            Ok(()) => delivery.ack(),
            Err(Failed) => delivery.nack(true),
        }
    }
}
