use std::rc::Rc;

use chain_runtime::{chain, node};

struct Log;

#[node]
impl Log {
    async fn exit(&self) {
        std::future::ready(()).await;
    }
}

#[node]
fn page(path: &str) -> Rc<str> {
    path.into()
}

chain! {
    #[send]
    struct Gateway { log: Log }

    async fn(path: &str) -> Rc<str> {
        log => page
    }
}

fn main() {}
