use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

trait Store {
    type Row;
    fn row(&self) -> Self::Row;
}

struct Of<S>(S);

struct Row;

#[node]
fn load<S: Store>(store: &Of<S>) -> S::Row {
    store.0.row()
}

#[node]
fn answer(_row: &Row) -> Reply {
    Reply(200)
}

chain! {
    struct App<S: Store> { store: Of<S> }
    fn(request: Request) -> Reply { load::<S> => answer }
}

fn main() {}
