use chain_runtime::{chain, node};

pub struct User;

#[node]
fn auth(request: &u8) -> User {
    let _ = request;
    User
}

#[node]
fn answer(_user: &User) -> String {
    String::new()
}

chain! {
    pub struct Gateway;

    fn(request: u8) -> String { auth => answer }
}

chain! {
    pub struct Gateway;

    async fn(request: u8) -> String { auth => answer }
}

fn main() {
    Gateway.run(1);
}
