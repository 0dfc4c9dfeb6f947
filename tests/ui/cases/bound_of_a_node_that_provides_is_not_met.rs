use chain_runtime::{chain, node};
use chain_ui::{Request, Unauthorized, User, greet};

struct Memory;

trait Store {
    fn get(&self) -> u16;
}

#[node]
async fn find<S: Store + Sync>(store: &S, request: &Request) -> Result<User, Unauthorized> {
    if store.get() == 0 { Err(Unauthorized) } else { Ok(User(request.path.clone())) }
}

chain! {
    struct Gateway { store: Memory }

    async fn(request: Request) -> chain_ui::Reply { find::<Memory> => greet }
}

fn main() {}
