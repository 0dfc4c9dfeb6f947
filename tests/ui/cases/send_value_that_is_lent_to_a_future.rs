use std::rc::Rc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn count(_request: &Request) -> Rc<u16> {
    Rc::new(1)
}

#[node]
async fn answer(count: &Rc<u16>) -> Reply {
    Reply(**count)
}

chain! {
    #[send]
    struct App;
    async fn(request: Request) -> Reply { count => answer }
}

fn main() {}
