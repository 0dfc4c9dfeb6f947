use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

struct Session;

#[node]
impl Session {
    fn enter(self) -> User {
        User(String::new())
    }
}

chain! {
    struct Gateway { session: Session }

    fn(request: Request) -> Reply { session => greet }
}

fn main() {}
