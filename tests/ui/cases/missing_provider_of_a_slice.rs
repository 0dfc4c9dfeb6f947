//! A slice is asked for, and what holds it has a type of another name.
use std::collections::VecDeque;

use chain_runtime::{chain, node};
use chain_ui::Reply;

type Bytes = VecDeque<u8>;

#[node]
fn answer(bytes: &[u8]) -> Reply {
    Reply(bytes.len() as u16)
}

chain! {
    struct Gateway { bytes: Bytes }
    fn() -> Reply { answer }
}

fn main() {}
