use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(hgih)] audit => last
    }
}

fn main() {}
