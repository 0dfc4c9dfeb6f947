use chain_runtime::chain;
use chain_ui::{Reply, Request, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        greet
    }
}

fn main() {}
