use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized};

pub trait Decision {
    type Is;
}

impl Decision for Request {
    type Is = Result<(), Unauthorized>;
}

pub struct Gate;

#[node]
impl Gate {
    async fn enter(&self, request: &Request) -> <Request as Decision>::Is {
        if request.path.is_empty() { Err(Unauthorized) } else { Ok(()) }
    }
}

#[node]
fn secret() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway { gate: Gate }

    async fn(request: Request) -> Reply {
        gate => secret
    }
}

fn main() {}
