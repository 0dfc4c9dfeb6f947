use chain_ui::composed::*;

struct Session;

#[node]
fn cookie() -> Session {
    Session
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { nothing => { cookie } } -> User => greet
    }
}

fn main() {}
