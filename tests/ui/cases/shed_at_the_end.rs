use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        audit => #[shed(high)] last
    }
}

fn main() {}
