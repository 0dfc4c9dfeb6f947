#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Request, proxy};

chain! {
    struct Gateway;

    async fn(request: Request) -> [u8] {
        proxy
    }
}

fn main() {}
