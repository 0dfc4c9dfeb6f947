#![deny(unreachable_patterns)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route {
            Route::Api(_) => last,
            _ => last,
            Route::File { .. } => last,
        }
    }
}

fn main() {}
