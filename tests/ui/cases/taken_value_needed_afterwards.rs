use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

#[node]
fn consume(user: User) -> Gone {
    drop(user);
    Gone
}

struct Gone;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => consume => greet
    }
}

fn main() {}
