use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, user: &User) {
        println!("{user:?}");
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => auth => proxy
    }
}

fn main() {}
