use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth};

#[node]
fn consume(user: User) -> Gone {
    drop(user);
    Gone
}

struct Gone;

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => consume => store
    }
}

fn main() {}
