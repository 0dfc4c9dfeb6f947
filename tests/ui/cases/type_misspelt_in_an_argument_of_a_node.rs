use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet};

#[node]
fn made<T: Default>() -> T {
    T::default()
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { made::<Numberr> => auth => greet }
}

fn main() {}
