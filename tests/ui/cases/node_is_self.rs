use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request};

chain! {
    struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        self.keys
    }
}

fn main() {}
