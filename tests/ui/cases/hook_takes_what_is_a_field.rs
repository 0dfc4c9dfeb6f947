//! The way in of a hook takes by value what is a field.
use std::net::Ipv4Addr;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Bind;

#[node]
impl Bind {
    fn enter(&self, address: Ipv4Addr) {
        println!("{address}");
    }
}

chain! {
    struct Gateway { bind: Bind, address: Ipv4Addr }
    async fn(request: Request) -> Reply { bind => proxy }
}

fn main() {}
