use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[timeout(30msec)] audit => last
    }
}

fn main() {}
