use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn length(line: &str, again: &&str) -> Reply {
    Reply((line.len() + again.len()) as u16)
}

chain! {
    struct Gateway;

    fn(line: &str) -> Reply {
        length
    }
}

fn main() {}
