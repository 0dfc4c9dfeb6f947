use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct User(u8);
enum Kind {
    A(User),
    B,
}

#[node]
fn auth(request: &Request) -> User {
    User(request.0)
}

#[node]
fn kind(request: &Request) -> Kind {
    if request.0 == 0 { Kind::A(User(0)) } else { Kind::B }
}

#[node]
fn answer(user: &User) -> Reply {
    let _ = user.0;
    Reply
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        auth => match kind { Kind::A(user: User) => answer, Kind::B => answer }
    }
}

fn main() {}
