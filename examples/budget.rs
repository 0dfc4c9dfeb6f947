//! The compiler knows how much memory a run takes, and can bound it: `#[budget(future = N)]`, in bytes.
//!
//! A server keeps one future for each request in flight, so its size times the connections is memory. Over the budget
//! is a compile error that names the largest node.

use chain_runtime::{chain, node};

struct Request;
struct Digest(u8);

/// Holds 512 bytes while it waits, so these are part of the future.
#[node]
async fn digest(_request: &Request) -> Digest {
    let mut buffer = [0u8; 512];
    tokio::task::yield_now().await;
    buffer[0] = 7;
    Digest(buffer.iter().sum())
}

/// Holds nothing.
#[node]
async fn wait(_request: &Request) {
    tokio::task::yield_now().await;
}

#[node]
fn answer(digest: &Digest) -> u8 {
    digest.0
}

chain! {
    /// With `future = 512` this would not compile:
    /// "the future of `Digests` takes .. bytes, over its budget of 512; its largest node is `digest` with .. bytes".
    #[budget(future = 1024)]
    struct Digests;

    async fn(request: Request) -> u8 {
        digest => wait => answer
    }
}

// It is a constant, so it can be asserted as well.
const _: () = assert!(Digests::future_size() < 1024);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("the future of a run takes {} bytes; each node's own:", Digests::future_size());
    for (node, size) in Digests::NODES.iter().zip(Digests::node_sizes()) {
        println!("{size:>5} {}", node.name);
    }
    println!("nodes run one after the other, so their futures share their room: it is not the sum");
    assert_eq!(Digests.run(Request).await, 7);
}
