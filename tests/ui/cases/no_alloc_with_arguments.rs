use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, proxy};

chain! {
    #[no_alloc(always)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[no_alloc(2)]
        auth => proxy
    }
}

fn main() {}
