use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized, greet, auth};

type Allowed = Result<(), Unauthorized>;

#[node]
fn check(request: &Request) -> Allowed {
    if request.path.is_empty() { Err(Unauthorized) } else { Ok(()) }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        check => auth => greet
    }
}

fn main() {}
