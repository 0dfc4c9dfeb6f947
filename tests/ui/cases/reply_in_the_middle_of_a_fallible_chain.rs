use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized, auth, greet};

#[node]
fn refuse(_: &Request) -> Reply {
    Reply(403)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Result<Reply, Unauthorized> {
        refuse => auth => greet
    }
}

fn main() {}
