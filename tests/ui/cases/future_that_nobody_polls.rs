use std::pin::Pin;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized};

#[node]
fn gate(_: &Request) -> Pin<Box<dyn Future<Output = Result<(), Unauthorized>> + Send>> {
    Box::pin(async { Err(Unauthorized) })
}

#[node]
fn secret() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        gate => secret
    }
}

fn main() {}
