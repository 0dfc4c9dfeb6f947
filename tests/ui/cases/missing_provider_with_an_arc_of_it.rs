use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::Reply;

pub struct Db(u16);

#[node]
fn answer(db: &Db) -> Reply {
    Reply(db.0)
}

chain! {
    struct Gateway {
        db: Arc<Db>,
    }

    fn() -> Reply { answer }
}

fn main() {}
