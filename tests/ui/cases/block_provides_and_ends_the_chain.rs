use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => { greet } -> Reply
    }
}

fn main() {}
