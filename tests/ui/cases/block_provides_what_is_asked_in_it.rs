use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { check => auth } -> User => greet
    }
}

fn main() {}
