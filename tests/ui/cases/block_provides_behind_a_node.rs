use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth -> User => greet
    }
}

fn main() {}
