use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply};

#[node]
fn consume(keys: Keys) -> Reply {
    drop(keys);
    Reply(200)
}

chain! {
    struct Gateway { keys: Keys }

    fn() -> Reply {
        consume
    }
}

fn main() {}
