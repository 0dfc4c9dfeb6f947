use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

mod nodes {
    use super::{Reply, Request, User};

    pub fn auth(_request: &Request) -> User {
        User(String::new())
    }

    pub fn greet(_user: &User) -> Reply {
        Reply(200)
    }
}

use nodes::greet;

#[node]
fn check(_user: &User) {}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { nodes::auth => check => greet }
}

fn main() {}
