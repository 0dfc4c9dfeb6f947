use chain_ui::composed::*;

chain! {
    #[forbid(spawn)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        last
    }
}

fn main() {}
