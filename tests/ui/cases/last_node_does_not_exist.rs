use chain_runtime::chain;
use chain_ui::{Reply, Request, auth};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => no_such_node
    }
}

fn main() {}
