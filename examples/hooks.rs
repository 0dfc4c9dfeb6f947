//! The four ways out of a chain, and which hooks run on each.
//!
//! `exit` runs in reverse for the nodes that were entered, on a reply and on a short cut alike. If there is no reply
//! (the future was dropped, or something panicked), `cancelled` runs in reverse instead.

use std::future::pending;
use std::time::Duration;

use chain_runtime::{Ending, chain, node};

/// What is to happen to the request.
#[derive(Debug)]
enum Request {
    Reply,
    CutShort,
    Cancel,
    Panic,
}

struct Response(&'static str);

/// A node with all three hooks.
struct Traced(&'static str);

#[node]
impl Traced {
    fn enter(&self) {
        println!("  {} is entered", self.0);
    }

    fn exit(&self, reply: &Response, ending: &Ending) {
        println!("  {} is left: `{}`, {ending}", self.0, reply.0);
    }

    fn cancelled(&self) {
        let why = if std::thread::panicking() { "a panic" } else { "a dropped future" };
        println!("  {} is cancelled by {why}", self.0);
    }
}

/// A node that breaks was never entered: no hook of its own runs.
#[node]
fn gate(request: &Request) -> Result<(), Response> {
    if matches!(request, Request::CutShort) { Err(Response("403")) } else { Ok(()) }
}

#[node]
async fn work(request: &Request) -> Response {
    match request {
        Request::Cancel => pending().await,
        Request::Panic => panic!("as was asked for"),
        Request::Reply | Request::CutShort => Response("200"),
    }
}

chain! {
    struct Onion {
        outer: Traced,
        inner: Traced,
    }

    async fn(request: Request) -> Response {
        outer => gate => inner => work
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let onion = || Onion { outer: Traced("outer"), inner: Traced("inner") };

    for request in [Request::Reply, Request::CutShort] {
        println!("{request:?}");
        onion().run(request).await;
    }

    println!("{:?}", Request::Cancel);
    let in_time = tokio::time::timeout(Duration::from_millis(10), onion().run(Request::Cancel)).await;
    assert!(in_time.is_err());

    println!("{:?}", Request::Panic);
    std::panic::set_hook(Box::new(|_| println!("  work panics")));
    let task = tokio::spawn(async move { onion().run(Request::Panic).await.0 });
    assert!(task.await.unwrap_err().is_panic(), "the panic goes on, to whoever ran the chain");
}
