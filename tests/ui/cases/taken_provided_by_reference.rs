use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

#[node]
fn known<'r>(_request: &'r Request, users: &'r Users) -> &'r User {
    &users.0
}

struct Users(User);

#[node]
fn consume(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway { users: Users }

    async fn(request: &Request) -> Reply {
        known => consume
    }
}

fn main() {}
