use chain_runtime::{chain, node};
use chain_ui::{Reply, User, greet};

#[node]
fn maybe() -> Option<User> {
    None
}

chain! {
    struct Gateway;

    fn() -> Reply { maybe => greet }
}

fn main() {}
