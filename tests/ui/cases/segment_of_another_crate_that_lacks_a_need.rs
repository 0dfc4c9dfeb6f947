use chain_runtime::chain;
use chain_ui::{Reply, greet};

chain! {
    struct Gateway;

    async fn(path: &str) -> Reply {
        ..chain_ui::front => greet
    }
}

fn main() {}
