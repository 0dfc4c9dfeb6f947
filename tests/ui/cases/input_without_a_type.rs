#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    fn(user) -> Reply {
        greet
    }
}

fn main() {}
