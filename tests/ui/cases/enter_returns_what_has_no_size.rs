use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn enter(&self) -> str {
        unreachable!()
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
