#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, User, greet};

chain! {
    struct Gateway { keys }

    fn(user: User) -> Reply {
        greet
    }
}

fn main() {}
