use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        key => #[split] audit => last
    }
}

fn main() {}
