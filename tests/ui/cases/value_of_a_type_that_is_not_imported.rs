use std::net::Ipv4Adr;

use chain_runtime::{chain, node};

struct Request;
struct Reply;

#[node]
fn count(_request: &Request) -> u32 {
    1
}

#[node]
fn address(_count: &u32) -> Ipv4Adr {
    Ipv4Adr::LOCALHOST
}

#[node]
fn answer(_address: &Ipv4Adr) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { count => address => answer }
}

fn main() {}
