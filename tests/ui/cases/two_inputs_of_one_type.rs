#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    fn(sender: User, receiver: User) -> Reply {
        greet
    }
}

fn main() {}
