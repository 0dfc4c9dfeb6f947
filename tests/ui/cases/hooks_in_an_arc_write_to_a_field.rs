use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, proxy};

use std::sync::Arc;

struct Log;

#[node]
impl Log {
    fn enter(&self, keys: &mut Keys) {
        *keys = Keys;
    }
}

chain! {
    struct Gateway { log: Arc<Log>, keys: Keys }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
