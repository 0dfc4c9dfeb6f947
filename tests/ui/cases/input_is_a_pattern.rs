#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

struct Json<T>(T);

chain! {
    struct Gateway;

    fn(Json(user): Json<User>) -> Reply {
        greet
    }
}

fn main() {}
