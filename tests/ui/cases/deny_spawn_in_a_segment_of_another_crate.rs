use chain_ui::composed::*;

chain! {
    #[deny(spawn)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        ..chain_ui::tasks::told => last
    }
}

fn main() {}
