//! The chain lacks a field of the segment. All names are declared in the file.
use chain_runtime::{chain, node};

pub struct Request(pub u16);
pub struct Reply(pub u16);
pub struct Log;

#[node]
impl Log {
    pub fn enter(&self) {}
}

#[node]
pub fn answer(request: &Request) -> Reply {
    Reply(request.0)
}

chain! { pub segment front(log: Log) { log } }

chain! { struct Gateway { other: Log } fn(request: Request) -> Reply { ..front => answer } }

fn main() {}
