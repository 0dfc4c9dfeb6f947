//! Middleware of another library: it calls what comes next by itself.
use chain_runtime::{chain, node};
use chain_ui::{Request, Reply, proxy};

#[node]
async fn timed(request: Request, next: Next) -> Reply {
    next.run(request).await
}

chain! {
    struct App;
    async fn(request: Request) -> Reply { timed => proxy }
}

fn main() {}
