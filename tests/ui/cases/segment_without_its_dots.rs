use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    segment front { auth }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        front => greet
    }
}

fn main() {}
