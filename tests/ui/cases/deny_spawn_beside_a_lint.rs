use chain_ui::composed::*;

chain! {
    #[deny(unused, spawn)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        last
    }
}

fn main() {}
