use std::sync::Arc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

struct Session;
#[node]
impl Session {
    fn enter(&self, request: &Request) -> User {
        User(request.path.clone())
    }
}

chain! {
    struct Gateway { shared: Arc<Session>, own: Session }
    fn(request: Request) -> Reply { shared => own => greet }
}

fn main() {}
