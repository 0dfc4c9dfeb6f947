use chain_runtime::chain;
use chain_ui::auth as Auth;
use chain_ui::{Reply, Request, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        Auth => greet
    }
}

fn main() {}
