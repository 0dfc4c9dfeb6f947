use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User};

struct Limiter;

#[node]
impl Limiter {
    fn enter(&self, _request: &Request) {}
}

#[node]
fn sign_in(_request: &Request) -> User {
    User(String::new())
}

fn plain(_user: &User) {}

#[node]
fn check(_user: &User) {}

#[node]
fn greet(_user: &User) -> Reply {
    Reply(200)
}

chain! { segment front { sign_inn => check } }
chain! { segment middle { plain } }
chain! { segment back { limiter => check } }

chain! {
    struct Gateway {
        limiter: Limiter,
    }

    async fn(request: Request) -> Reply { ..front => ..middle => ..back => greet }
}

fn main() {}
