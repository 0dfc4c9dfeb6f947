use chain_runtime::{chain, node};
use chain_ui::{Reply, User};

#[node]
fn greet(user: User) -> Reply {
    Reply(user.0.len() as u16)
}

chain! {
    struct Gateway;

    async fn() -> Reply {
        greet
    }
}

fn main() {}
