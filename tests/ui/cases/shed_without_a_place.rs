use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[shed(high)] audit => last
    }
}

fn main() {}
