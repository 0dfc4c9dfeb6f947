use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, user: &User) {
        println!("{}", user.0);
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
