#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(self.limit)] slow
    }
}

fn main() {}
