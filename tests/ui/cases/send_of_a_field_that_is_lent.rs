use std::cell::Cell;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, composed::slow};

struct Count(Cell<u32>);

#[node]
async fn count(count: &Count) {
    count.0.set(count.0.get() + 1);
}

chain! {
    #[send]
    struct Gateway { requests: Count }
    async fn(request: Request) -> Reply { count => slow }
}

fn main() {}
