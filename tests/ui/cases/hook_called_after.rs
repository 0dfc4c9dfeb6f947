use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

struct Log;

#[node]
impl Log {
    pub fn enter(&self) {}
    pub fn after(&self, _reply: &Reply) {}
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => auth => greet
    }
}

fn main() {}
