use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { nothing => #[when(is_local)] auth } -> User => greet
    }
}

fn main() {}
