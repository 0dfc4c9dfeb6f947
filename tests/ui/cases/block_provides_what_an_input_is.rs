use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request, user: User) -> Reply {
        { auth } -> User => greet
    }
}

fn main() {}
