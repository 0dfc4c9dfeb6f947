use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        key => #[split(0.5)] audit => last
    }
}

fn main() {}
