use chain_runtime::{chain, node};

struct Request;
struct Reply;
struct Of<S>(S);

trait Store {
    type Row;
    fn load(&self) -> Self::Row;
}

#[node]
fn count(_request: &Request) -> u32 {
    1
}

#[node]
fn load<S: Store>(store: &Of<S>) -> S::Rwo {
    store.0.load()
}

#[node]
fn answer(_count: &u32) -> Reply {
    Reply
}

chain! {
    struct Gateway<S: Store> { store: Of<S> }
    fn(request: Request) -> Reply { count => load::<S> => answer }
}

fn main() {}
