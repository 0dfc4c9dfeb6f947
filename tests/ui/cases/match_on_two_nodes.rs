#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match (route, is_local) { _ => last }
    }
}

fn main() {}
