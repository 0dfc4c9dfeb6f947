use chain_runtime::chain;
use chain_ui::{Reply, Request, Unauthorized, auth};

chain! {
    struct Gateway;

    async fn(request: Request) -> Result<Reply, Unauthorized> {
        auth
    }
}

fn main() {}
