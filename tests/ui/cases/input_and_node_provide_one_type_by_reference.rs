use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn trimmed<'r>(line: &'r str) -> &'r str {
    line.trim()
}

#[node]
fn length(line: &str) -> Reply {
    Reply(line.len() as u16)
}

chain! {
    struct Gateway;

    fn<'r>(line: &'r str) -> Reply {
        trimmed => length
    }
}

fn main() {}
