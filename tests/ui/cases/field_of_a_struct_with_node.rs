//! The attribute is for the `impl` block. The chain that has the struct as a field says nothing more.
use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
pub struct Log;

chain! {
    struct App { log: Log }
    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
