use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
fn refuse(_: &Request) -> Reply {
    Reply(403)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        refuse => auth => greet
    }
}

fn main() {}
