#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    async fn(user: User) -> Reply {
        async { println!("hello") } => greet
    }
}

fn main() {}
