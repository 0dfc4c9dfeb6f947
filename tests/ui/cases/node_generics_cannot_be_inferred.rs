use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn parse<T: std::str::FromStr + Default>(request: &Request) -> T {
    request.path.parse().unwrap_or_default()
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        parse => proxy
    }
}

fn main() {}
