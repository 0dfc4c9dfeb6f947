use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { nothing => { auth } -> User } -> User => greet
    }
}

fn main() {}
