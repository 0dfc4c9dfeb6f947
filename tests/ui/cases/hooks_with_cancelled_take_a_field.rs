use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn enter(&self, keys: Keys) {
        drop(keys);
    }

    fn cancelled(&self) {}
}

chain! {
    struct Gateway<'k> { log: Log, keys: Keys, name: &'k str }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
