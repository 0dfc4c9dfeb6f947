use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { let user = auth; greet }
}

fn main() {}
