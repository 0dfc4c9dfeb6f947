#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    fn(user: User) -> Reply {
        greet => 200
    }
}

fn main() {}
