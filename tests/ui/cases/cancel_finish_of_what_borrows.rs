use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[cancel(finish)] slow
    }
}

fn main() {}
