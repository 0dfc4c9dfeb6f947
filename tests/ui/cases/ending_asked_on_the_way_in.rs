use chain_runtime::{Ending, chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn log(ending: &Ending) {
    println!("{ending}");
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {}
