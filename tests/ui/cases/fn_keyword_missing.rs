#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    async (user: User) -> Reply {
        greet
    }
}

fn main() {}
