use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, reply: &String) {
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
