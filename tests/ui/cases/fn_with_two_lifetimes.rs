#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, User, greet};

chain! {
    struct Gateway;

    fn<'u, 'k>(user: &'u User, keys: &'k Keys) -> Reply {
        greet
    }
}

fn main() {}
