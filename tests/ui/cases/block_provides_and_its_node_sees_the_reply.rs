use chain_ui::composed::*;

chain! {
    struct Gateway { log: Log }

    async fn(request: Request) -> Reply {
        { log => auth } -> User => greet
    }
}

fn main() {}
