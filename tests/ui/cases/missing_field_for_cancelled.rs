use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn cancelled(&self, keys: &Keys) {
        println!("{keys:?}");
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
