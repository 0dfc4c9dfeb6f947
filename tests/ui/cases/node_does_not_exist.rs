use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ratelimit => proxy
    }
}

fn main() {}
