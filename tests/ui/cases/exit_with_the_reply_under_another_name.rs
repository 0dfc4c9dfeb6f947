use chain_runtime::{chain, node};

pub struct Reply(u8);

pub struct Stamp;

#[node]
impl Stamp {
    fn exit(&self, response: &mut Reply) {
        response.0 += 1;
    }
}

#[node]
fn answer() -> Reply {
    Reply(1)
}

chain! {
    struct Gateway { stamp: Stamp }

    fn() -> Reply { stamp => answer }
}

fn main() {}
