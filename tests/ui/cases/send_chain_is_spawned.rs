use std::rc::Rc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy, spawn};

#[node]
async fn wait() {
    let kept = Rc::new(1);
    std::future::ready(()).await;
    drop(kept);
}

chain! {
    #[send]
    struct Gateway;

    async fn(request: Request) -> Reply { wait => proxy }
}

fn main() {
    static GATEWAY: Gateway = Gateway;
    spawn(GATEWAY.run(Request { path: String::new() }));
}
