use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if count { nothing } => last
    }
}

fn main() {}
