//! A consumer of a queue: each message is one run of a chain, acknowledged by the reply. A message is never lost.

#[path = "queue/delivery.rs"]
pub(crate) mod delivery;

use std::future::Future;

use chain_runtime::{chain, node};
use delivery::{Acks, Delivery, Failed, Message, Queue};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[node]
async fn work(delivery: &Delivery) -> Result<(), Failed> {
    let Message { body, failures } = &delivery.message;
    println!("{body} (failed {failures} times)");
    match body.as_str() {
        "poison" => panic!("a bug that this message finds"),
        "flaky" if *failures < 2 => Err(Failed),
        "stuck" => std::future::pending().await,
        _ => Ok(()),
    }
}

chain! {
    /// The delivery is an input that the chain owns: however the run ends, the delivery is dropped or settled.
    struct Consumer;
    async fn(delivery: Delivery) -> Result<(), Failed> { Acks => work }
}

/// Works on eight messages at once. When it is told to stop, messages in flight go back.
pub(crate) async fn consume<F: Future<Output: Send> + Send + 'static>(
    queue: &Queue,
    messages: &mut UnboundedReceiver<Message>,
    stop: CancellationToken,
    run: impl Fn(Delivery) -> F,
) {
    let mut runs = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(message) = messages.recv(), if runs.len() < 8 => drop(runs.spawn(run(Delivery::new(message, queue)))),
            // Runs that ended have settled their messages, also after a panic.
            Some(_) = runs.join_next() => {}
        }
    }
    runs.shutdown().await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    std::panic::set_hook(Box::new(|_| println!("  .. panics")));
    let ((ready, mut messages), (ended, mut ends)) = (unbounded_channel(), unbounded_channel());
    for body in ["hello", "flaky", "poison", "stuck"] {
        let _ = ready.send(Message { body: body.to_owned(), failures: 0 });
    }
    let (queue, stop) = (Queue { ready, ended }, CancellationToken::new());
    let three_ends = async {
        for _ in 0..3 {
            match ends.recv().await {
                Some(Ok(body)) => println!("  .. {body} is done"),
                Some(Err(body)) => println!("  .. {body} is dead"),
                None => unreachable!("the queue is there"),
            }
        }
        stop.cancel();
    };
    tokio::join!(consume(&queue, &mut messages, stop.clone(), |delivery| Consumer.run(delivery)), three_ends);
    println!("{:?} went back", messages.recv().await.expect("what was stuck"));
}
