//! The four ways out of a chain, and which hooks run on each.
//!
//! `exit` runs in reverse for the nodes that were entered, on a reply and on a short cut alike. Where there is no reply
//! (the future was dropped, or something panicked), `cancelled` runs in reverse instead.

use std::future::pending;
use std::time::Duration;

use chain_runtime::{Ending, chain, node};

/// What is to become of the request.
#[derive(Debug)]
enum Request {
    ToBeReplied,
    ToBeCutShort,
    ToBeCancelled,
    ToPanic,
}

struct Reply(&'static str);

/// A node with all three hooks.
struct Traced(&'static str);

#[node]
impl Traced {
    fn enter(&self) {
        println!("  {} is entered", self.0);
    }

    fn exit(&self, reply: &Reply, ending: &Ending) {
        println!("  {} is left: `{}`, {ending}", self.0, reply.0);
    }

    fn cancelled(&self) {
        let why = if std::thread::panicking() { "a panic" } else { "a dropped future" };
        println!("  {} is cancelled by {why}", self.0);
    }
}

/// A node that breaks was never entered: no hook of its own would run.
#[node]
fn gate(request: &Request) -> Result<(), Reply> {
    if matches!(request, Request::ToBeCutShort) { Err(Reply("403")) } else { Ok(()) }
}

#[node]
async fn work(request: &Request) -> Reply {
    match request {
        Request::ToBeCancelled => pending().await,
        Request::ToPanic => panic!("as was asked for"),
        Request::ToBeReplied | Request::ToBeCutShort => Reply("200"),
    }
}

chain! {
    struct Onion {
        outer: Traced,
        inner: Traced,
    }

    async fn(request: Request) -> Reply {
        outer => gate => inner => work
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let onion = || Onion { outer: Traced("outer"), inner: Traced("inner") };

    for request in [Request::ToBeReplied, Request::ToBeCutShort] {
        println!("{request:?}");
        onion().run(request).await;
    }

    println!("{:?}", Request::ToBeCancelled);
    let in_time = tokio::time::timeout(Duration::from_millis(10), onion().run(Request::ToBeCancelled)).await;
    assert!(in_time.is_err());

    println!("{:?}", Request::ToPanic);
    std::panic::set_hook(Box::new(|_| println!("  work panics")));
    let task = tokio::spawn(async move { onion().run(Request::ToPanic).await.0 });
    assert!(task.await.unwrap_err().is_panic(), "the panic goes on, to whoever ran the chain");
}
