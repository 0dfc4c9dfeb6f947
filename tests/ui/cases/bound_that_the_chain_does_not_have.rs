use chain_runtime::{chain, node};
use chain_ui::Reply;

trait Store {
    fn get(&self) -> u16;
}

struct Shared<S>(S);

#[node]
fn answer<S: Store>(store: &Shared<S>) -> Reply {
    Reply(store.0.get())
}

chain! {
    struct Gateway<S> { store: Shared<S> }

    fn() -> Reply { answer::<S> }
}

fn main() {}
