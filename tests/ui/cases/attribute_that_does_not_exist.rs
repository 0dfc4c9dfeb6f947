use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    #[timeout(30)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
