#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth, greet};

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        auth >> greet
    }
}

fn main() {}
