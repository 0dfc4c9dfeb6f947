use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn length(line: &'static str) -> Reply {
    Reply(line.len() as u16)
}

chain! {
    struct Gateway;

    fn(line: &'static str) -> Reply {
        length
    }
}

fn main() {}
