use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

trait Store {}

struct Cache<S>(S);

#[node]
impl<S: Store> Cache<S> {
    fn enter(&self) {}
}

chain! {
    struct Gateway { cache: Cache<u8> }

    async fn(request: Request) -> Reply {
        cache => proxy
    }
}

fn main() {}
