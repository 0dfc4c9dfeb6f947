use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn name(request: &Request) -> str {
    *request.path.as_str()
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { name => proxy }
}

fn main() {}
