use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn copy<S: Clone>(store: &Arc<S>) -> S {
    S::clone(store)
}

#[node]
fn answer(_request: &Request) -> Reply {
    Reply(200)
}

chain! {
    struct App<S: Clone> { store: Arc<S> }
    fn(request: Request) -> Reply { copy::<S> => answer }
}

fn main() {}
