use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    fn(request: Request) -> Reply {
        #[shed(high, detach)] nothing => last
    }
}

fn main() {}
