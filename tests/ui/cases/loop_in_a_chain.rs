use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        loop { auth } => last
    }
}

fn main() {}
