use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] owned => last
    }
}

fn main() {}
