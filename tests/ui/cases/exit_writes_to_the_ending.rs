//! The ending is told as it is.
use chain_runtime::{Ending, chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, ending: &mut Ending) {
        println!("{ending}");
    }
}

chain! {
    struct App { log: Log }
    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
