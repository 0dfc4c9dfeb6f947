//! A chain in a multi-threaded server: one value in an `Arc`, a task for each request.
//!
//! The future of `run` is `Send` whenever its parts are. It borrows the chain, so the task owns a handle to it; inputs by
//! reference borrow from what the task owns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chain_runtime::{chain, node};

struct Head {
    path: String,
}

struct Segment<'r>(&'r str);

#[node]
async fn route<'r>(head: &'r Head) -> Segment<'r> {
    tokio::task::yield_now().await;
    Segment(head.path.rsplit('/').next().unwrap_or_default())
}

#[derive(Default)]
struct Counter(AtomicUsize);

#[node]
async fn answer(segment: &Segment<'_>, counter: &Counter) -> String {
    tokio::task::yield_now().await;
    counter.0.fetch_add(1, Relaxed);
    segment.0.to_uppercase()
}

chain! {
    #[derive(Default)]
    struct Service {
        counter: Counter,
    }

    async fn<'r>(head: &'r Head) -> String {
        route => answer
    }
}

#[tokio::main]
async fn main() {
    let service = Arc::new(Service::default());
    let tasks: Vec<_> = (0..1000)
        .map(|index| {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                let head = Head { path: format!("/items/item-{index}") };
                service.run(&head).await
            })
        })
        .collect();
    let mut last = String::new();
    for task in tasks {
        last = task.await.expect("no node panics");
    }
    println!("{} requests were answered, the last with {last}", service.counter.0.load(Relaxed));
}
