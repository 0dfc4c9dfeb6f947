use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

macro_rules! audit {
    ($($anything:tt)*) => {
        Reply(0)
    };
}

#[node]
fn audit(_request: &Request) {}

#[node]
fn answer(request: &Request) -> Reply {
    Reply(request.path.len() as u16)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { audit => answer }
}

fn main() {}
