use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth};

#[node]
fn consume(user: User) -> Gone {
    drop(user);
    Gone
}

struct Gone;

#[node]
fn answer(_gone: &Gone) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        consume => auth => answer
    }
}

fn main() {}
