use chain_runtime::chain;
use chain_ui::{Reply, Request, greet};

chain! {
    pub struct Gateway;

    async fn(request: Request) -> Reply {
        greet
    }
}

async fn serve(request: Request) -> Reply {
    println!("{} {} {}", Gateway::drawing(), Gateway::NODES.len(), Gateway::future_size());
    Gateway.run(request).await
}

fn main() {}
