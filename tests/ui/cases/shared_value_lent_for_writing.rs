use chain_runtime::{chain, node};
use chain_ui::{Reply, User};

#[node]
fn first<'r>(users: &'r Vec<User>) -> &'r User {
    &users[0]
}

#[node]
fn rename(user: &mut User) -> Reply {
    user.0.clear();
    Reply(200)
}

chain! {
    struct Gateway {
        users: Vec<User>,
    }

    fn() -> Reply {
        first => rename
    }
}

fn main() {}
