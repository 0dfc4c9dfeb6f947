use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[toggle] audit => last
    }
}

fn main() {}
