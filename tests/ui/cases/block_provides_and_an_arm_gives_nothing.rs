use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if is_local { auth } else { nothing } -> User => greet
    }
}

fn main() {}
