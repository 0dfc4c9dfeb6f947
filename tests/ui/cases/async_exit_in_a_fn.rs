use chain_runtime::{chain, node};
use chain_ui::{Reply, User, greet};

struct Log;

#[node]
impl Log {
    async fn exit(&self, user: &User) {
        println!("{user:?}");
    }
}

chain! {
    struct Gateway { log: Log }

    fn(user: User) -> Reply {
        log => greet
    }
}

fn main() {}
