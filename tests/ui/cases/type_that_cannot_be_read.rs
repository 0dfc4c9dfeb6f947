#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, proxy};

chain! {
    struct Gateway { keys: &Keys + }

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
