use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

#[node]
fn session(request: &Request) -> User {
    User(request.path.clone())
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => session => greet
    }
}

fn main() {}
