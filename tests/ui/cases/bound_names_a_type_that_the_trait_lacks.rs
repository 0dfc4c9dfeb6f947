use chain_runtime::{chain, node};

struct Request;
struct Reply;
struct Row;
struct Of<S>(S);

trait Store {
    type Row;
    fn load(&self) -> Self::Row;
}

#[node]
fn load<S: Store>(store: &Of<S>) -> S::Row {
    store.0.load()
}

#[node]
fn answer(_row: &Row) -> Reply {
    Reply
}

chain! {
    struct Gateway<S: Store<Rwo = Row>> { store: Of<S> }
    fn(request: Request) -> Reply { load::<S> => answer }
}

fn main() {}
