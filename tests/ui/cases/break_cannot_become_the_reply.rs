use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct TooManyRequests;

#[node]
fn ratelimit(request: &Request) -> Result<(), TooManyRequests> {
    if request.path.is_empty() { Err(TooManyRequests) } else { Ok(()) }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ratelimit => proxy
    }
}

fn main() {}
