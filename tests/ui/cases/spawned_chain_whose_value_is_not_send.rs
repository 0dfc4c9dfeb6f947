use std::rc::Rc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

#[node]
fn cache(request: &Request) -> Rc<str> {
    Rc::from(&*request.path)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        cache => proxy
    }
}

async fn serve(request: Request) {
    chain_ui::spawn(async { Gateway.run(request).await });
}

fn main() {}
