//! A queue within the process: a message is delivered until it is done or dead, at least once.

use std::mem;

use chain_runtime::node;
use tokio::sync::mpsc::UnboundedSender;

/// After so many failures (a panic is one), a message is dead.
pub(crate) const ATTEMPTS: u32 = 3;

#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) failures: u32,
}

/// The place where messages wait, without a bound so that one can always go back, and the place where they end: `Ok` if
/// done, `Err` if dead.
#[derive(Clone)]
pub(crate) struct Queue {
    pub(crate) ready: UnboundedSender<Message>,
    pub(crate) ended: UnboundedSender<Result<String, String>>,
}

/// A message that is being worked on. If it is dropped before it is settled, it goes back. A `cancelled` hook could not
/// do that for a run that is dropped before its first poll: no node was entered then.
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// `None` after it is settled.
    queue: Option<Queue>,
}

impl Delivery {
    pub(crate) fn new(message: Message, queue: &Queue) -> Self {
        Self { message, queue: Some(queue.clone()) }
    }

    /// Settles it as done.
    pub(crate) fn ack(&mut self) {
        if let Some(queue) = self.queue.take() {
            // Here and below: if nothing receives any more, the queue itself is gone.
            let _ = queue.ended.send(Ok(mem::take(&mut self.message.body)));
        }
    }

    /// Has it delivered once more, and counts the failure if it is the message's own.
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
    /// A dropped run is not the message's fault; a panic is.
    fn drop(&mut self) {
        self.nack(std::thread::panicking());
    }
}

/// The reply says this if the message could not be worked on.
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
