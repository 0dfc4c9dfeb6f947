use chain_ui::composed::*;

chain! {
    segment prelude { #[shed(high)] audit }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ..prelude => last
    }
}

fn main() {}
