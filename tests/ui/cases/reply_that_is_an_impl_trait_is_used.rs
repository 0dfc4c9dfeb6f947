#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> impl Sized { auth => greet }
}

async fn answer(request: Request) -> Reply {
    Gateway.run(request).await
}

fn main() {}
