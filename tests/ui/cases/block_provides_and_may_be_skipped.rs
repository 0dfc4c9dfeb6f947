use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[when(is_local)] { auth } -> User => greet
    }
}

fn main() {}
