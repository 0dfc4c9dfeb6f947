use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

struct Log;

#[node]
impl Log {
    fn enter(&self, request: Request) -> User {
        User(request.path)
    }
    fn exit(&self, request: &Request) {
        println!("{request:?}");
    }
}

chain! {
    struct Gateway { log: Log }

    fn(request: Request) -> Reply {
        log => greet
    }
}

fn main() {}
