use chain_runtime::{chain, node};

struct User;
struct Quota;
struct Reply;

#[node]
fn session() -> User {
    User
}

#[node]
fn count(_: &User) {}

#[node]
fn limit(_: &User, _: &Quota) {}

#[node]
fn answer() -> Reply {
    Reply
}

chain! {
    struct Gateway;

    fn() -> Reply { count => limit => session => answer }
}

fn main() {}
