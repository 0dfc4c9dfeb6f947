use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

#[node]
fn convert<A, B>(_: &Request) -> User {
    User(std::any::type_name::<(A, B)>().to_owned())
}

chain! {
    segment converted<A, B> where B: Widens<A> { convert::<A, B> }
}

pub trait Widens<A> {}
impl Widens<u8> for u16 {}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        ..converted::<u16, u8> => greet
    }
}

fn main() {}
