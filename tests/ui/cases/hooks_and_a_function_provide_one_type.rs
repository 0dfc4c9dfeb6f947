use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

struct Session;

#[node]
impl Session {
    fn enter(&self) -> User {
        User(String::new())
    }
}

chain! {
    struct Gateway { session: Session }

    async fn(request: Request) -> Reply { auth => session => greet }
}

fn main() {}
