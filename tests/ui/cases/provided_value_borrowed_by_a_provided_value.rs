use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, proxy};

struct Name<'r>(&'r str);

#[node]
fn name(user: &User) -> Name<'_> {
    Name(&user.0)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => name => proxy
    }
}

fn main() {}
