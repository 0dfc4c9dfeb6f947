#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth, greet};

chain! { segment front(keys: Keys; number: u8) { auth } }

chain! {
    struct Gateway { keys: Keys, number: u8 }

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}
