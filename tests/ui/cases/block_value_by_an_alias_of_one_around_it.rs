use chain_runtime::{chain, node};
use chain_ui::Reply;

pub struct User(u16);
type Account = User;

#[node]
fn session() -> User {
    User(1)
}

#[node]
fn account() -> Account {
    User(2)
}

#[node]
fn audit(user: &User) {
    let _ = user.0;
}

#[node]
fn answer(user: &User) -> Reply {
    Reply(user.0)
}

chain! {
    struct Gateway;

    fn() -> Reply { session => { account => audit } => answer }
}

fn main() {}
