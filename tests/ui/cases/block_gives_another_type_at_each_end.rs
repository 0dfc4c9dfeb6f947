use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct User(u8);
struct Limits;

#[node]
fn auth(request: &Request) -> User {
    User(request.0)
}

#[node]
fn guest() -> User {
    User(0)
}

#[node]
fn is_known(request: &Request) -> bool {
    request.0 > 0
}

#[node]
fn answer(user: &User) -> Reply {
    let _ = (user.0, Limits);
    Reply
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        if is_known { auth } else { guest } -> Limits => answer
    }
}

fn main() {}
