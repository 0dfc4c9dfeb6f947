#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    pub fn(user: User) -> Reply {
        greet
    }
}

fn main() {}
