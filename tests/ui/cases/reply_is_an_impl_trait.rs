use chain_runtime::chain;
use chain_ui::{Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> impl Sized {
        auth => greet
    }
}

fn main() {}
