use chain_runtime::{chain, node};

#[node]
fn answer() -> impl Into<u16> {
    1_u8
}

chain! {
    struct Gateway;

    fn() -> u16 { answer }
}

fn main() {}
