use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    App;
    async fn(request: Request) -> Reply { proxy }
}

fn main() {}
