use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, reply: &mut String) {
        reply.clear();
    }
}

chain! {
    struct Gateway { log: Option<Log> }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
