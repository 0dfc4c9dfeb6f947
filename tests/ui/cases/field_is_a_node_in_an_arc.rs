use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

struct Log;

#[node]
impl Log {
    fn enter(&self) {}
}

chain! {
    struct Gateway { log: Arc<Log> }

    async fn(request: Request) -> Reply {
        log => auth => greet
    }
}

fn main() {}
