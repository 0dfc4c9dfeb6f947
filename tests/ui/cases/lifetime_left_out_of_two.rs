use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Head<'r>(&'r str);

#[node]
fn head(line: &str, request: &Request) -> Head<'_> {
    Head(if line.is_empty() { &request.path } else { line })
}

#[node]
fn length(head: &Head) -> Reply {
    Reply(head.0.len() as u16)
}

chain! {
    struct Gateway;

    fn(line: &str, request: Request) -> Reply {
        head => length
    }
}

fn main() {}
