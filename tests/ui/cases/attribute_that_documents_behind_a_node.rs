//! A doc comment stands behind a node.
use chain_ui::composed::*;

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply {
        auth /// the user
        => greet
    }
}

fn main() {}
