use std::rc::Rc;

use chain_runtime::{chain, node};

struct Reply;
type Shared = Rc<u32>;

#[node]
fn share() -> Shared {
    Rc::new(1)
}

#[node]
async fn answer(_shared: &Rc<u32>) -> Reply {
    Reply
}

chain! {
    #[send]
    struct Gateway;
    async fn() -> Reply { share => answer }
}

fn main() {}
