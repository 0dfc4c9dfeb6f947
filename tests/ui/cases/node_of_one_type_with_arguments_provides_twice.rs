use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

struct Session<T>(T);
#[node]
impl<T> Session<T> {
    fn enter(&self, request: &Request) -> User {
        User(request.path.clone())
    }
}

chain! {
    struct Gateway { cookies: Session<u8>, tokens: Session<u16> }
    fn(request: Request) -> Reply { cookies => tokens => greet }
}

fn main() {
    let _ = Gateway { cookies: Session(1), tokens: Session(2) };
}
