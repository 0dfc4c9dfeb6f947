use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(elevated, sample = 1 / 100)] #[shed(high)] audit => last
    }
}

fn main() {}
