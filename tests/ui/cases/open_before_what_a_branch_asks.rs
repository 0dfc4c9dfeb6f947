use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if #[open] is_local { nothing } => last
    }
}

fn main() {}
