use chain_ui::composed::*;

chain! {
    #[shed(high)]
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        audit => last
    }
}

fn main() {}
