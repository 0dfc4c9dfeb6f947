use chain_runtime::chain;
use chain_ui::{Reply, User, greet};

type Friend = User;

chain! {
    struct Gateway;

    fn(sender: User, receiver: Friend) -> Reply {
        greet
    }
}

fn main() {}
