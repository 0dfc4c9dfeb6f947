use std::cell::Cell;

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

struct Hits {
    count: Cell<u64>,
}

chain! {
    #[send]
    struct Gateway { hits: Hits }

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {
    drop(Gateway { hits: Hits { count: Cell::new(0) } }.hits.count);
}
