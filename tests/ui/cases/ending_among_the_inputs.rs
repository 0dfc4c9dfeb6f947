use chain_runtime::{Ending, chain};
use chain_ui::{Reply, User, greet};

chain! {
    struct Gateway;

    fn(user: User, ending: Ending) -> Reply {
        greet
    }
}

fn main() {}
