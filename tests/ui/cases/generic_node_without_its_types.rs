use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

trait Store {}

#[node]
fn fetch<S: Store>(_store: &Arc<S>) -> Reply {
    Reply(200)
}

chain! {
    struct App<S: Store> { store: Arc<S> }
    fn(request: Request) -> Reply { fetch }
}

fn main() {}
