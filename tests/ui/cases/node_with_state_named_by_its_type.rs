use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Limit(u32);

#[node]
impl Limit {
    fn enter(&self, request: &Request) {
        println!("{} {}", self.0, request.path);
    }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        Limit => proxy
    }
}

fn main() {}
