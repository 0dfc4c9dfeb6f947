//! An arrow stands between an attribute and its node.
use chain_ui::composed::*;

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply { auth => #[no_alloc] => greet }
}

fn main() {}
