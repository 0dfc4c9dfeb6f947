use chain_ui::composed::*;

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        #[shed(high)] audit => last
    }
}

fn main() {}
