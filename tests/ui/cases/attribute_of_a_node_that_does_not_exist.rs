use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[retry(3)] audit => last
    }
}

fn main() {}
