use chain_runtime::{chain, node};
use chain_ui::{Reply, User, greet};

struct Gate;

#[node]
impl Gate {
    async fn enter(&self, user: &User) {
        println!("{user:?}");
    }
}

chain! {
    struct Gateway { gate: Gate }

    fn(user: User) -> Reply {
        gate => greet
    }
}

fn main() {}
