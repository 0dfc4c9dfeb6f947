use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

#[node]
fn owned() -> User {
    User(String::new())
}

#[node]
fn borrowed<'r>(users: &'r Vec<User>) -> &'r User {
    &users[0]
}

chain! {
    struct Gateway {
        users: Vec<User>,
    }

    async fn(request: Request) -> Reply {
        owned => borrowed => greet
    }
}

fn main() {}
