//! The node has state, and the chain has no field for it.
use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct AccessLog;

#[node]
impl AccessLog {
    fn exit(&self) {}
}

chain! {
    struct App;
    async fn(request: Request) -> Reply { access_log => proxy }
}

fn main() {
    AccessLog;
}
