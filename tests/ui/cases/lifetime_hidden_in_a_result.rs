use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Named<'r>(&'r str);
type Head<'r> = Named<'r>;

#[node]
fn head(line: &str) -> Head {
    Named(line)
}

#[node]
fn length(head: &Head) -> Reply {
    Reply(head.0.len() as u16)
}

chain! {
    struct Gateway;

    fn(line: &str) -> Reply {
        head => length
    }
}

fn main() {}
