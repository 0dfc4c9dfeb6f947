use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn log(request: &Request) {
    println!("{request:?}");
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        log
    }
}

fn main() {}
