use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

struct Log;

#[node]
impl Log {
    async fn enter(&self, request: &Request) -> Option<Started> {
        None
    }

    fn exit(&self, _reply: &Request) {}
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply { log => auth => greet }
}

fn main() {}
