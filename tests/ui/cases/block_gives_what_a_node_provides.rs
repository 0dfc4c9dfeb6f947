use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct User(u8);

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
    let _ = user.0;
    Reply
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        auth => if is_known { auth } else { guest } -> User => answer
    }
}

fn main() {}
