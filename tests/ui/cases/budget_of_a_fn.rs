#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

chain! {
    #[budget(future = 1024)]
    struct Gateway;

    fn(user: User) -> Reply {
        greet
    }
}

fn main() {}
