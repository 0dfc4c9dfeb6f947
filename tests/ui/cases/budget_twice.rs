#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    #[budget(future = 1024)]
    #[budget(future = 2048)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
