use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn answer(path: &str) -> Reply {
    Reply(path.len() as u16)
}

chain! {
    struct Gateway;

    fn(path: String) -> Reply { answer }
}

fn main() {}
