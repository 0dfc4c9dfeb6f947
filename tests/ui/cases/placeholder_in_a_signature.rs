use chain_runtime::{chain, node};

struct Request;
struct Reply;
struct User;

#[node]
fn user(_request: &Request) -> _ {
    User
}

#[node]
fn answer(_user: &User) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { user => answer }
}

fn main() {}
