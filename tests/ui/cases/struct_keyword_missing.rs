//! The chain's type stands there without its keyword.
use chain_runtime::chain;
use chain_ui::{Reply, Request, proxy};

chain! {
    pub App {}
    async fn(request: Request) -> Reply { proxy }
}

fn main() {}
