use chain_ui::composed::{Reply, Request, audit, chain, last};

struct Toggles;

chain! {
    struct Gateway { toggles: Toggles }

    async fn(request: Request) -> Reply {
        #[toggle] audit => last
    }
}

fn main() {}
