use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth};

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        auth
    }
}

fn main() {}
