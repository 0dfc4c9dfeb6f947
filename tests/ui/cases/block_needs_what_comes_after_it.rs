use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { check => nothing } => auth => greet
    }
}

fn main() {}
