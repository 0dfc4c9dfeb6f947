use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
async fn read(request: &Request) {
    let buffer = [0u8; 4096];
    tokio::task::yield_now().await;
    println!("{} {}", request.path, buffer.len());
}

chain! {
    #[budget(future = 1024)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        read => proxy
    }
}

fn main() {}
