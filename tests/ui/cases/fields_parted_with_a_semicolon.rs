#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth, greet};

chain! {
    struct Gateway {
        keys: Keys;
        names: Vec<String>;
    }

    async fn(request: Request) -> Reply { auth => greet }
}

fn main() {
    let _gateway = Gateway { keys: Keys, names: Vec::new() };
}
