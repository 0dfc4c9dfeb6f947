use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(1s)] slow
    }
}

fn main() {}
