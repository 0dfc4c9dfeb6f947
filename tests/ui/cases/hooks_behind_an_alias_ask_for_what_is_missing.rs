use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

use std::sync::Arc;

struct Log;

type Shared = Arc<Log>;

#[node]
impl Log {
    fn enter(&self, user: &User) {
        println!("{}", user.0);
    }
}

chain! {
    struct Gateway { log: Shared }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
