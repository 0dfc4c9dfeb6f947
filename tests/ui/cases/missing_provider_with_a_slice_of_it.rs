use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn answer(bytes: &[u8]) -> Reply {
    Reply(0)
}

chain! {
    struct Gateway { held: Vec<u8> }

    fn() -> Reply { answer }
}

fn main() {}
