use chain_runtime::{chain, node};

struct Reply;

trait Store {
    fn load(&self);
}

#[node]
fn answer(store: &Store) -> Reply {
    store.load();
    Reply
}

chain! {
    struct Gateway { store: Box<dyn Store> }
    fn() -> Reply { answer }
}

fn main() {}
