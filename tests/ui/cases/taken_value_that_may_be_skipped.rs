use chain_runtime::node;
use chain_ui::User;
use chain_ui::composed::*;

#[node]
fn is_known(request: &Request) -> bool {
    request.path.starts_with("/~")
}

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[when(is_known)] auth => store
    }
}

fn main() {}
