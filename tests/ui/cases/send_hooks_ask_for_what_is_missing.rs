use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

struct Log;

#[node]
impl Log {
    async fn enter(&self, user: &User) -> usize {
        user.0.len()
    }

    fn exit(&self, length: &usize) {
        println!("{length}");
    }
}

chain! {
    #[send]
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
