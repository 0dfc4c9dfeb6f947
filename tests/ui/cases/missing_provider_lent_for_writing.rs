use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

#[node]
fn rename(user: &mut User) -> Reply {
    user.0.clear();
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        rename
    }
}

fn main() {}
