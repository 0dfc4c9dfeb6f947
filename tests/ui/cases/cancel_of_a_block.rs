use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[cancel(finish)] { audit } => last
    }
}

fn main() {}
