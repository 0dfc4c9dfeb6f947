use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { auth } -> str => last
    }
}

fn main() {}
