use chain_runtime::{chain, node};

pub trait Store {
    fn get(&self) -> u8;
}

#[node]
fn answer(store: &Box<dyn Store>) -> u8 {
    store.get()
}

chain! {
    struct Gateway;

    fn(store: &dyn Store) -> u8 { answer }
}

fn main() {}
