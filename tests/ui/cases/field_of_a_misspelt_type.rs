//! The type of a field that is a node does not exist.
use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

pub struct Logger;

chain! {
    struct App { log: Loger }
    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
