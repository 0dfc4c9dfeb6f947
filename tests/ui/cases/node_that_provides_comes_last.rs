use chain_runtime::{chain, node};

struct Request;
struct User;
struct Reply;

#[node]
fn login(_request: &Request) -> User {
    User
}

#[node]
fn welcome(_user: &User) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { welcome => login }
}

fn main() {}
