use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[deny(spawn)] last
    }
}

fn main() {}
