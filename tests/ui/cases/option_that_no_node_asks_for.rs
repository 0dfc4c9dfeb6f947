use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

struct Quota(u32);

#[node]
fn quota(_: &Request) -> Option<Quota> {
    None
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        quota => auth => greet
    }
}

fn main() {}
