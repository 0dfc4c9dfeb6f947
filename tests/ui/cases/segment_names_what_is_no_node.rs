use chain_ui::composed::*;

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
