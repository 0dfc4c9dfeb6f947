//! The field is an `Option` of what a hook asks for.
use std::net::Ipv4Addr;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log;

#[node]
impl Log {
    fn exit(&self, address: &Ipv4Addr, reply: &Reply) {
        println!("{address} {}", reply.0);
    }
}

chain! {
    struct Gateway { log: Log, address: Option<Ipv4Addr> }
    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}
