use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[when(count)] audit => last
    }
}

fn main() {}
