use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct User(u8);
struct Refused;

impl chain_runtime::IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply
    }
}

#[node]
fn time(request: &Request) -> u8 {
    request.0
}

#[node]
fn auth(request: &Request) -> Result<Usr, Refused> {
    Ok(User(request.0))
}

#[node]
fn answer(user: &User, time: &u8) -> Reply {
    let _ = (user.0, time);
    Reply
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        time => auth => answer
    }
}

fn main() {}
