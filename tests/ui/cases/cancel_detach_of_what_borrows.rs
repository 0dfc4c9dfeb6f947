use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[cancel(detach)] audit => last
    }
}

fn main() {}
