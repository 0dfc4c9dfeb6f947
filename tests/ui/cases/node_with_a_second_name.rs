#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { auth as session => greet }
}

fn main() {}
