#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    #[budget(allocations = 0)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
