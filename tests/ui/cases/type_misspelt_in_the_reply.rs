use chain_runtime::chain;
use chain_ui::{Request, Unauthorized, auth, greet};

chain! {
    struct Gateway;

    async fn(request: Request) -> Result<Replyy, Unauthorized> { auth => greet }
}

fn main() {}
