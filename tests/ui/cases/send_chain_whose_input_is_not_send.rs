use std::rc::Rc;

use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    #[send]
    struct Gateway;

    async fn(request: Request, page: Rc<str>) -> Reply {
        proxy
    }
}

fn main() {}
