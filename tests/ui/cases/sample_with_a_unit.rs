use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[sample(5ms)] audit => last
    }
}

fn main() {}
