use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

struct Log;

#[node]
impl Log {
    fn enter(&self) {}
    fn exit(&self, user: &User) {
        println!("{user:?}");
    }
}

#[node]
fn known(user: User) -> Result<User, Reply> {
    if user.0.is_empty() { Err(Reply(401)) } else { Ok(user) }
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        auth => log => known => greet
    }
}

fn main() {}
