use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

type Guest = User;

#[node]
fn trim(user: Guest) -> Guest {
    User(user.0.trim().to_owned())
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => trim => greet
    }
}

fn main() {}
