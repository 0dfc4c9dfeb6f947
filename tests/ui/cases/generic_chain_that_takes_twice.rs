use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn consume(request: Request) {
    drop(request);
}

chain! {
    struct Gateway<T> { state: T }

    async fn(request: Request) -> Reply {
        consume => proxy
    }
}

fn main() {}
