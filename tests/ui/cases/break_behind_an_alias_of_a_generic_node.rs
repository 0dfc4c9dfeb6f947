use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized, greet, auth};

type Found<T> = Result<T, Unauthorized>;

#[node]
fn check<T: Default>(request: &Request) -> Found<T> {
    if request.path.is_empty() { Err(Unauthorized) } else { Ok(T::default()) }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        check::<u8> => auth => greet
    }
}

fn main() {}
