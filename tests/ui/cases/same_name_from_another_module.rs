use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

mod guests {
    use chain_runtime::node;

    pub struct User(pub String);

    #[node]
    pub fn guest(request: &chain_ui::Request) -> User {
        User(request.path.clone())
    }
}
use guests::guest;

#[node]
fn greet(user: &User) -> Reply {
    Reply(user.0.len() as u16)
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { guest => greet }
}

fn main() {
    let _ = guests::User(String::new());
}
