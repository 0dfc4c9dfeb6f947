use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

pub trait Store {}

#[node]
fn look<S>(_: &Request) -> User {
    User(std::any::type_name::<S>().to_owned())
}

chain! {
    segment known<S: Store> { look::<S> }
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        ..known::<u8> => greet
    }
}

fn main() {}
