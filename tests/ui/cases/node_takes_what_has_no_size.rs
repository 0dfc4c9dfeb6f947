use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn log(_line: str) {}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
