use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        proxy
    }
}

async fn serve(request: Request) {
    let gateway = Gateway;
    chain_ui::spawn(gateway.run(request));
}

fn main() {}
