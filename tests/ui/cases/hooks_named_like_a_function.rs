//! A chain has no way out for what is named like a function.
use chain_runtime::{chain, node};

pub struct Request;

#[allow(non_camel_case_types)]
pub struct log;

#[node(stateless)]
impl log {
    fn enter(&self) {}
    fn exit(&self, request: &Request) {
        let _ = request;
    }
}

#[node]
fn answer(_: &Request) -> u16 {
    200
}

chain! {
    pub struct Gateway;
    fn(request: Request) -> u16 { log => answer }
}

fn main() {}
