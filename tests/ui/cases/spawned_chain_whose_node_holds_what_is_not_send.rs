use std::rc::Rc;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
async fn proxy(request: Request) -> Reply {
    let path: Rc<str> = Rc::from(request.path);
    tokio::task::yield_now().await;
    Reply(path.len() as u16)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

async fn serve(request: Request) {
    chain_ui::spawn(async { Gateway.run(request).await });
}

fn main() {}
