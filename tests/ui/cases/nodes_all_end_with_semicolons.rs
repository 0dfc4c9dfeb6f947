#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, counted, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth;
        counted;
        greet;
    }
}

fn main() {}
