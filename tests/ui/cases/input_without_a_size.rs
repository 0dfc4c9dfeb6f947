#![allow(unused_imports)]

use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn length(line: &str) -> Reply {
    Reply(line.len() as u16)
}

chain! {
    struct Gateway;

    fn(line: str) -> Reply {
        length
    }
}

fn main() {}
