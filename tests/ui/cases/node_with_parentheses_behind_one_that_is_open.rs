use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open] auth => greet(request)
    }
}

fn main() {}
