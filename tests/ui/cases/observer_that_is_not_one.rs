use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

struct Metrics;

chain! {
    #[observe(Metrics)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

fn main() {
    drop(Gateway.run(Request { path: String::new() }));
}
