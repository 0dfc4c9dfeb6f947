use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[sample(1 / 0)] audit => last
    }
}

fn main() {}
