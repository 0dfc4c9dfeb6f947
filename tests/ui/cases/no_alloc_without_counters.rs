use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, proxy};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[no_alloc]
        auth => proxy
    }
}

fn main() {
    drop(Gateway.run(Request { path: String::new() }));
}
