use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

#[node]
fn rename(user: &User) -> User {
    User(user.0.to_uppercase())
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        rename => proxy
    }
}

fn main() {}
