use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
fn ratelimit(_: &Request) -> bool {
    false
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ratelimit => auth => greet
    }
}

fn main() {}
