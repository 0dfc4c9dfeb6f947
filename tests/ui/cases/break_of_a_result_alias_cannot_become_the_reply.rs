use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn read(request: &Request) -> std::io::Result<String> {
    std::fs::read_to_string(&request.path)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        read => proxy
    }
}

fn main() {}
