use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open] { auth => check } => last
    }
}

fn main() {}
