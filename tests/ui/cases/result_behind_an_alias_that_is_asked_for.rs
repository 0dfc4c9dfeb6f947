use chain_runtime::{chain, node};
use chain_ui::{Reply, Unauthorized};

type Allowed = Result<u8, Unauthorized>;

#[node]
fn check() -> Allowed {
    Err(Unauthorized)
}

#[node]
fn answer(allowed: &Allowed) -> Reply {
    Reply(allowed.is_ok().into())
}

chain! {
    struct Gateway;

    fn() -> Reply { check => answer }
}

fn main() {}
