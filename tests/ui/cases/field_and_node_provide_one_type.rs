use chain_runtime::chain;
use chain_ui::{Reply, Request, User, auth, greet};

chain! {
    struct Gateway { nobody: User }

    async fn(request: Request) -> Reply {
        auth => greet
    }
}

fn main() {}
