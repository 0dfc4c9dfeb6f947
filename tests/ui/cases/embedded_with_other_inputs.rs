use chain_runtime::{Chain, chain};
use chain_ui::{Keys, Reply, Request, proxy};

chain! {
    struct Gateway;

    async fn(request: Request, keys: Keys) -> Reply {
        proxy
    }
}

fn serve<C: Chain<(Request,), Reply>>(_: C) {}

fn main() {
    serve(Gateway);
}
