use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

struct Session;

#[node]
impl Session {
    fn enter(&self, request: &Request) -> User {
        User(request.path.clone())
    }
    fn cancelled(&self, user: &User) {
        println!("{user:?}");
    }
}

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway { session: Session }

    async fn(request: Request) -> Reply {
        session => store
    }
}

fn main() {}
