use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(30)] audit => last
    }
}

fn main() {}
