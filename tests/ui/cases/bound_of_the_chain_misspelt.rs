use chain_runtime::chain;
use chain_ui::{Reply, Request, auth, greet};

struct Held<S>(S);

chain! {
    struct Gateway<S: Storage> { held: Held<S> }

    async fn(request: Request) -> Reply { auth => greet }
}

fn main() {}
