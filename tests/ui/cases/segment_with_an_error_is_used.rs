#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, counted, greet};

chain! { segment front { auth; counted } }

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}
