use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
fn path(_request: &Request) -> str {
    todo!()
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        path => auth => greet
    }
}

fn main() {}
