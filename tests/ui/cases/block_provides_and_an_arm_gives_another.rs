use chain_ui::composed::*;

struct Session;

#[node]
fn cookie() -> Session {
    Session
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if is_local { auth } else { cookie } -> User => greet
    }
}

fn main() {}
