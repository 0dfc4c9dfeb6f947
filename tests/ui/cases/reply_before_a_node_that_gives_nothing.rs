use chain_runtime::{chain, node};

struct Reply;

#[node]
fn answer() -> Reply {
    Reply
}

#[node]
fn note() {}

chain! {
    struct Gateway;

    fn() -> Reply { answer => note }
}

fn main() {}
