use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Store;

#[node]
fn look<S: Storage>(store: &S) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway { store: Store }

    fn() -> Reply { look::<Store> }
}

fn main() {}
