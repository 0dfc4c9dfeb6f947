#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[when(is_local, is_local)] audit => last
    }
}

fn main() {}
