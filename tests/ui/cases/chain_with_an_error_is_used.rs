#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, Reply, Request, auth, greet};

chain! {
    #[derive(Debug)]
    pub struct Gateway { keys: Keys }

    async fn(request: Request) -> Reply {
        auth -> greet
    }
}

async fn serve(request: Request) -> Reply {
    let gateway = Gateway { keys: Keys };
    println!("{gateway:?} {} {}", Gateway::drawing(), Gateway::NODES.len());
    gateway.run(request).await
}

fn main() {}
