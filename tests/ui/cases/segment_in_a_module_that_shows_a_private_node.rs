mod entry {
    use chain_runtime::{chain, node};
    use chain_ui::{Request, User};

    #[node]
    fn auth(_request: &Request) -> User {
        User("Ada".to_owned())
    }

    chain! { pub(super) segment front { auth } }
}

use chain_ui::{Reply, Request, User};

#[chain_runtime::node]
fn greet(_user: &User) -> Reply {
    Reply(200)
}

chain_runtime::chain! { struct App; fn(request: Request) -> Reply { ..entry::front => greet } }

fn main() {}
