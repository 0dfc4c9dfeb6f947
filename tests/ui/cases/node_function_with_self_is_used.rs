use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

#[node]
fn find(&self, request: &Request) -> User {
    User(self.name_of(request))
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { find => greet }
}

fn main() {}
