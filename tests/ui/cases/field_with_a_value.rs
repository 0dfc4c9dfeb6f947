use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, proxy};

chain! {
    struct App { keys: Keys = Keys }
    async fn(request: Request) -> Reply { proxy }
}

fn main() {}
