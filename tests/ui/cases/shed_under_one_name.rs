use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(elevated)] audit => #[shed(high)] audit => last
    }
}

fn main() {}
