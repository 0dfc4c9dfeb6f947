//! A node that may be skipped is found as `Option<T>`, and never as `Option<&T>`.
use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth};

#[node]
fn greeted(user: Option<&User>) -> Reply {
    Reply(if user.is_some() { 200 } else { 404 })
}

chain! {
    struct App {}
    async fn(request: Request) -> Reply { auth => greeted }
}

fn main() {}
