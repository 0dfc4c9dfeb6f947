#![deny(deprecated)]

use chain_ui::composed::*;

#[deprecated = "use `last`"]
#[node]
fn old(request: &Request) -> Reply {
    Reply(request.path.len() as u16)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { old }
}

fn main() {}
