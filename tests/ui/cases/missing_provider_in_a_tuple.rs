use chain_runtime::{chain, node};
use chain_ui::{Reply, User, greet};

struct Session;

#[node]
fn session() -> (Session, User) {
    (Session, User(String::new()))
}

chain! {
    struct Gateway;

    fn() -> Reply { session => greet }
}

fn main() {}
