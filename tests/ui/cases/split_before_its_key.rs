use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[split(5)] audit => key => last
    }
}

fn main() {}
