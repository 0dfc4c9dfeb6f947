use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request};

trait Store {
    type Row;
    fn first(&self) -> Self::Row;
}

struct Memory;
impl Store for Memory {
    type Row = u32;
    fn first(&self) -> u32 {
        1
    }
}

#[node]
fn query<S: Store>(store: &S) -> S::Row {
    store.first()
}

#[node]
fn last(request: &Request) -> Reply {
    Reply(request.path.len() as u16)
}

chain! {
    struct Gateway { memory: Memory, keys: Keys }
    fn(request: Request) -> Reply { query::<Keys> => last }
}

fn main() {}
