use std::pin::Pin;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

#[node]
fn load(request: &Request) -> Pin<Box<dyn Future<Output = User> + Send>> {
    let path = request.path.clone();
    Box::pin(async move { User(path) })
}

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply { load => greet }
}

fn main() {}
