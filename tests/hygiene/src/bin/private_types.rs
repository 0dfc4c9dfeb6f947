//! A program whose nodes are `pub` and whose types are not: rustc warns of that in a function, and the node beside it is
//! no error.

#![allow(private_interfaces)]

use links::{IntoReply, chain, node};

struct Request(u8);

struct Reply(u8);

struct User(u8);

struct Refused;

impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply(41)
    }
}

#[node]
pub fn auth(request: &Request) -> Result<User, Refused> {
    if request.0 > 0 { Ok(User(request.0)) } else { Err(Refused) }
}

/// Nodes with and without a signature that is told.
pub mod nodes {
    use links::node;

    use super::{Reply, User};

    #[node]
    pub fn seen<T>(_: &User, _: &Option<T>) {}

    #[node]
    pub fn greet(user: &User) -> Reply {
        Reply(user.0)
    }
}

pub use nodes::greet;

chain! {
    pub struct Gateway;
    fn(request: Request, more: Option<u8>) -> Reply { auth => nodes::seen::<u8> => greet }
}

fn main() {
    println!("{} {}", Gateway.run(Request(7), Some(1)).0, Gateway.run(Request(0), None).0);
}

#[test]
fn its_nodes_are_found_in_their_modules() {
    assert_eq!(Gateway.run(Request(7), Some(1)).0, 7);
    assert_eq!(Gateway.run(Request(0), None).0, 41);
}
