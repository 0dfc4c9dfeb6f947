use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { auth } -> impl Clone => greet
    }
}

fn main() {}
