use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
fn consume(request: Request) {
    drop(request);
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        consume => auth => greet
    }
}

fn main() {}
