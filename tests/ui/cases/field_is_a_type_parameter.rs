#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    struct Gateway<T> { state: T }

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {}
