use chain_runtime::{chain, node};

pub struct User;

#[node]
fn is_known(request: &u8) -> bool {
    *request > 1
}

#[node]
fn known() -> User {
    User
}

#[node]
fn guest() -> User {
    User
}

#[node]
fn greet(_user: &User) -> u8 {
    1
}

chain! {
    struct Gateway;

    fn(request: u8) -> u8 {
        if is_known { known } else { guest } => greet
    }
}

fn main() {}
