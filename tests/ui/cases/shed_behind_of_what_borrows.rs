use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] audit => last
    }
}

fn main() {}
