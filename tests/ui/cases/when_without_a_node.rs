use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[when] audit => last
    }
}

fn main() {}
