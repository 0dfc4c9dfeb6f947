use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

#[node]
fn consume(user: User) -> Gone {
    drop(user);
    Gone
}

struct Gone;

#[node]
fn is_new(user: &User) -> bool {
    user.0.is_empty()
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => if is_new { consume => done } => greet
    }
}

#[node]
fn done(_gone: Gone) {}

fn main() {}
