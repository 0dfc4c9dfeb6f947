use std::sync::{Arc, Mutex};

use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Db;

#[node]
fn answer(db: &Db) -> Reply {
    Reply(0)
}

chain! {
    struct Gateway { held: Arc<Mutex<Db>> }

    fn() -> Reply { answer }
}

fn main() {}
