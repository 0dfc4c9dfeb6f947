//! No node returns a trait object by itself.
use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request};

pub trait Store {}
impl Store for Keys {}

#[node]
fn query(_store: &dyn Store) -> Reply {
    Reply(200)
}

chain! {
    struct App { keys: Keys }
    async fn(request: Request) -> Reply { query }
}

fn main() {}
