//! A node that is found by its traits takes a value that nothing provides.
use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, User};

#[node]
fn leave<K: 'static>(user: User, _keys: &K) -> Reply {
    Reply(user.0.len() as u16)
}

chain! {
    struct App { keys: Keys }
    async fn(request: Request) -> Reply { leave::<Keys> }
}

fn main() {}
