use chain_runtime::{chain, node};

pub struct User;

#[node]
fn answer(user: Option<User>) -> u8 {
    user.map_or(0, |_| 1)
}

chain! {
    struct Gateway;

    fn(user: User) -> u8 { answer }
}

fn main() {}
