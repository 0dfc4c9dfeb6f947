#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User};

chain! {
    struct Gateway;

    fn(user: User) -> Reply
}

fn main() {}
