use std::sync::Arc;

use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

chain! {
    struct Gateway { log: Arc<Logg> }

    async fn(request: Request) -> Reply { log => auth => greet }
}

fn main() {}
