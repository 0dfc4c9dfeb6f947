use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

pub trait Config {
    type Db;
}

#[node]
fn look<D>(request: &Request, db: &D) -> Reply {
    let _ = (request, db);
    Reply(200)
}

chain! {
    pub struct Gateway<C: Config> { db: C::Db }
    fn(request: Request) -> Reply { look::<C::Db> }
}

fn main() {}
