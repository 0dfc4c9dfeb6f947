use chain_ui::composed::{Reply, Request, audit, chain, last};

struct Shedding;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(high)] audit => last
    }
}

fn main() {}
