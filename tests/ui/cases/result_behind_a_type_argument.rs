use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized};

pub trait Check {
    type Is;
    fn check(request: &Request) -> Self::Is;
}

pub struct Strict;

impl Check for Strict {
    type Is = Result<(), Unauthorized>;
    fn check(_: &Request) -> Self::Is {
        Err(Unauthorized)
    }
}

#[node]
fn gate<C: Check>(request: &Request) -> C::Is {
    C::check(request)
}

#[node]
fn secret() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        gate::<Strict> => secret
    }
}

fn main() {}
