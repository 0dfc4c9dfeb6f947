//! `keys` is a field, but no node.

use chain_runtime::{chain, node};

pub struct Keys;

#[node]
fn answer(request: &u32) -> u32 {
    *request
}

chain! {
    pub struct Gateway {
        keys: Keys,
    }

    async fn(request: u32) -> u32 {
        keys => answer
    }
}

fn main() {
    let gateway = Gateway { keys: Keys };
    let _ = gateway.run(1);
}
