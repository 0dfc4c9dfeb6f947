use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn made<T: Default>() -> T {
    T::default()
}

#[node]
fn last(request: &Request) -> Reply {
    Reply(request.path.len() as u16)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        made::<&'static str> => last
    }
}

fn main() {}
