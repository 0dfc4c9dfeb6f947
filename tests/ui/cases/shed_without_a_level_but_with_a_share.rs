use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(sample = 1 / 100)] audit => last
    }
}

fn main() {}
