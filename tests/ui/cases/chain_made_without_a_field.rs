use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, proxy};

#[node]
fn check(_: &Keys) {}

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        check => proxy
    }
}

fn main() {
    let _ = Gateway {};
}
