use chain_runtime::{chain, node};

struct Request;
struct Reply;
struct User;
type Visitor = User;

#[node]
fn user(_request: &Request) -> User {
    User
}

#[node]
fn visitor(_request: &Request) -> Visitor {
    User
}

#[node]
fn answer(_user: &User) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { user => visitor => answer }
}

fn main() {}
