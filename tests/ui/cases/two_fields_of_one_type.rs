#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, proxy};

chain! {
    struct Gateway { old: Keys, new: Keys }

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
