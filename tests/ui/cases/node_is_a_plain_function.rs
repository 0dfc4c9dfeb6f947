use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

fn log(request: &Request) {
    println!("{request:?}");
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
