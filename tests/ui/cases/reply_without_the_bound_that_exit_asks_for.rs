use std::fmt::Display;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn exit<R: Display>(&self, reply: &R) {
        println!("{reply}");
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
