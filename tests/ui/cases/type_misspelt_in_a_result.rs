use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized, greet};

#[node]
fn session(request: &Request) -> Result<Userr, Unauthorized> {
    Err(Unauthorized)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { session => greet }
}

fn main() {}
