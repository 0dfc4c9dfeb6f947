use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[sample(SHARE)] audit => last
    }
}

fn main() {}
