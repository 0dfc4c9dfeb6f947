#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    pub(crate) fn(user: User) -> Reply {
        greet
    }
}

fn main() {}
