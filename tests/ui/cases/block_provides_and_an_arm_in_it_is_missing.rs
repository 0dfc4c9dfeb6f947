use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { nothing => if is_local { auth } } -> User => greet
    }
}

fn main() {}
