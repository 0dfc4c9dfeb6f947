use chain_runtime::{chain, node};
use chain_ui::{Keys, Reply, Request, User, auth};

#[node]
fn consume(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        auth => consume
    }
}

fn main() {}
