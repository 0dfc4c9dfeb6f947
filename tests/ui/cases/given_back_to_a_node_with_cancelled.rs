use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

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
fn trim(user: User) -> User {
    User(user.0.trim().to_owned())
}

chain! {
    struct Gateway { session: Session }

    async fn(request: Request) -> Reply {
        session => trim => greet
    }
}

fn main() {}
