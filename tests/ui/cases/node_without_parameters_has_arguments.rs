use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn answer(request: &Request) -> Reply {
    Reply(request.path.len() as u16)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { answer::<u8> }
}

fn main() {}
