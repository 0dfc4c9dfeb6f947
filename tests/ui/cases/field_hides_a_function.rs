//! The field `answer` has the name of the node that is meant.
use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Answers;

struct User;

#[node]
fn user() -> User {
    User
}

#[node]
fn answer(_user: &User) -> Reply {
    Reply(200)
}

chain! {
    struct App { user: Answers }
    fn(request: Request) -> Reply { user => answer }
}

fn main() {}
