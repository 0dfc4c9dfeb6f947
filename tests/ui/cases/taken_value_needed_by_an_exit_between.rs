use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth};

struct Log;

#[node]
impl Log {
    fn exit(&self, user: &User) {
        println!("{user:?}");
    }
}

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        auth => log => store
    }
}

fn main() {}
