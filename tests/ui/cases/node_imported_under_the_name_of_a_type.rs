use chain_runtime::chain;
use chain_ui::proxy as Proxy;
use chain_ui::{Reply, Request};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        Proxy
    }
}

fn main() {}
