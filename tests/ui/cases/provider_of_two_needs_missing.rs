use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, User};

#[node]
fn greet(user: &User, keys: &Keys) -> Reply {
    println!("{user:?} {keys:?}");
    Reply(200)
}

chain! {
    struct Gateway { keys: Keys }

    fn() -> Reply {
        greet
    }
}

fn main() {}
