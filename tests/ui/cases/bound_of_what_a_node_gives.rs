//! A bound that a function's result needs is not met. What needs that result says nothing more.
use chain_runtime::{chain, node};
use chain_ui::Reply;

pub trait Store {
    type Row;
    fn row(&self) -> Self::Row;
}

pub struct Memory;
pub struct Row(u16);

#[node]
fn query<S: Store>(store: &S) -> S::Row {
    store.row()
}

#[node]
fn show(row: &Row) -> Reply {
    Reply(row.0)
}

chain! {
    struct App { memory: Memory }
    fn() -> Reply { query::<Memory> => show }
}

fn main() {}
