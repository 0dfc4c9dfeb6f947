use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::Reply;

trait Store {}

#[node]
fn answer(store: &dyn Store) -> Reply {
    Reply(0)
}

chain! {
    struct Gateway { held: Arc<dyn Store + Send + Sync> }

    fn() -> Reply { answer }
}

fn main() {}
