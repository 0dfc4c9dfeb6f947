#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if is_local, is_local { last } else { last }
    }
}

fn main() {}
