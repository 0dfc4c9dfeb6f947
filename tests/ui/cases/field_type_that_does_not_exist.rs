use chain_runtime::{chain, node};

pub struct Reply(u8);

#[node]
fn answer() -> Reply {
    Reply(1)
}

chain! {
    struct Gateway { stamp: Absent }

    fn() -> Reply { stamp => answer }
}

fn main() {}
