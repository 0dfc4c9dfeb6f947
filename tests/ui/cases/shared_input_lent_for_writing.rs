use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn rewrite(request: &mut Request) -> Reply {
    request.path.clear();
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: &Request) -> Reply {
        rewrite
    }
}

fn main() {}
