use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Memory;

trait Store {
    fn get(&self) -> u16;
}

#[node]
fn answer<S>(store: &S) -> Reply
where
    S: Store,
{
    Reply(store.get())
}

chain! {
    struct Gateway { store: Memory }

    fn() -> Reply { answer::<Memory> }
}

fn main() {}
