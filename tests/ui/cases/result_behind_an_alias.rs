use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized};

type Gate = Result<(), Unauthorized>;

#[node]
fn gate(request: &Request) -> Gate {
    if request.path.is_empty() { Err(Unauthorized) } else { Ok(()) }
}

#[node]
fn secret() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        gate => secret
    }
}

fn main() {}
