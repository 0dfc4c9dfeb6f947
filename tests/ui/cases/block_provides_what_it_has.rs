use chain_ui::composed::*;

#[node]
fn me() -> User {
    User(String::new())
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { auth => check => me } -> User => greet
    }
}

fn main() {}
