use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway<S> {
        store: Option<S>,
    }

    async fn(request: Request) -> Reply {
        auth => auth => greet
    }
}

fn main() {}
