use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(high, sample = 1 / 100, detach)] audit => last
    }
}

fn main() {}
