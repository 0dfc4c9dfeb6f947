use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(0s)] audit => last
    }
}

fn main() {}
