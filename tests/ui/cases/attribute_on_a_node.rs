#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(30)] proxy
    }
}

fn main() {}
