use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

struct Session<S>(S);

#[node]
impl<S> Session<S> {
    fn enter(&self) -> Usr {
        User(String::new())
    }
}

chain! {
    struct Gateway<S> {
        session: Session<S>,
    }

    fn(request: Request) -> Reply {
        session => greet
    }
}

fn main() {}
