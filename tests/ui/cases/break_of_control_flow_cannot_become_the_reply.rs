use std::ops::ControlFlow;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Cached(Vec<u8>);

#[node]
fn cache(request: &Request) -> ControlFlow<Cached> {
    ControlFlow::Break(Cached(request.path.clone().into()))
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        cache => proxy
    }
}

fn main() {}
