use chain_runtime::{chain, node};

mod session {
    pub struct Token;
}

struct Request;
struct Reply;

#[node]
fn count(_request: &Request) -> u32 {
    1
}

#[node]
fn login(_count: &u32) -> session::Tokn {
    session::Token
}

#[node]
fn answer(_token: &session::Token) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { count => login => answer }
}

fn main() {}
