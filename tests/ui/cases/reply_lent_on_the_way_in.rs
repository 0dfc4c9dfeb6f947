use chain_runtime::{chain, node};

struct Reply(u16);

#[node]
fn mark(reply: &mut Reply) {
    reply.0 = 1;
}

#[node]
fn answer() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn() -> Reply { mark => answer }
}

fn main() {}
