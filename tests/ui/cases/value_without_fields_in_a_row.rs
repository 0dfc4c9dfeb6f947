//! A value of a type without fields, written where a field's name stands.
use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

pub struct Log {}

chain! {
    struct App {}
    async fn(request: Request) -> Reply { Log {} => auth => greet }
}

fn main() {}
