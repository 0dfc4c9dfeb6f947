use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { auth } -> greet
    }
}

fn main() {}
