#![allow(unused_imports)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(_) => audit => last Route::File { .. } => last }
    }
}

fn main() {}
