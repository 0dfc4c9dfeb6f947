use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
#[chain_runtime::node]
fn check(_request: &Request) {}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        check => auth => greet
    }
}

fn main() {}
