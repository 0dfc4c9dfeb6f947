use chain_runtime::{chain, node};
use chain_ui::{Reply, User, greet};

#[node]
fn check(one: &User, other: &User) {
    println!("{one:?} {other:?}");
}

chain! {
    struct Gateway;

    fn(user: User) -> Reply {
        check => greet
    }
}

fn main() {}
