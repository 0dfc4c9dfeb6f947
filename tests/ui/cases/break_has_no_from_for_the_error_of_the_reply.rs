use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth, greet};

struct Failure;

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Result<Reply, Failure> {
        auth => greet
    }
}

fn main() {}
