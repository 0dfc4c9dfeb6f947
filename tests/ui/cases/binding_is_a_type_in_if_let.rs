use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

#[node]
fn session(request: &Request) -> Option<User> {
    (!request.path.is_empty()).then(|| User(request.path.clone()))
}

#[node]
fn other() -> Reply {
    Reply(404)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        if let Some(User) = session { greet } else { other }
    }
}

fn main() {}
