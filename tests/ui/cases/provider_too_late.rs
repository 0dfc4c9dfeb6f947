use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, User, auth, proxy};

#[node]
fn ratelimit(user: &User) {
    println!("{user:?}");
}

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        ratelimit => auth => proxy
    }
}

fn main() {}
