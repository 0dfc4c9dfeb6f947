use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(1.5s)] audit => last
    }
}

fn main() {}
