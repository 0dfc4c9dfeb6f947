use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, proxy};

struct Log;

#[node]
impl Log {
    fn enter(&self, user: Option<&User>) {
        println!("{}", user.is_some());
    }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply { auth => log => proxy }
}

fn main() {}
