use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { #[open] auth } -> User => greet
    }
}

fn main() {}
