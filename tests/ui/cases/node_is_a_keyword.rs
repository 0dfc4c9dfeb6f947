#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        _ => last
    }
}

fn main() {}
