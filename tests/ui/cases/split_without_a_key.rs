use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[split(5)] audit => last
    }
}

fn main() {}
