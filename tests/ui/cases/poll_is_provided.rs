use std::task::Poll;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized};

#[node]
fn gate(_: &Request) -> Poll<Result<(), Unauthorized>> {
    Poll::Ready(Err(Unauthorized))
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
