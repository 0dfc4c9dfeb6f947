use chain_runtime::chain;
use chain_ui::{Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> {
        auth => greet
    }
}

fn main() {}
