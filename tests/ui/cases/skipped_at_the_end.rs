use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => #[when(is_local)] greet
    }
}

fn main() {}
