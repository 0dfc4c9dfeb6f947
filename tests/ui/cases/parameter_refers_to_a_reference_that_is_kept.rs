use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Kept<'r>(&'r &'r str);

#[node]
fn kept<'r>(line: &'r &'r str) -> Kept<'r> {
    Kept(line)
}

#[node]
fn length(line: &Kept<'_>) -> Reply {
    Reply(line.0.len() as u16)
}

chain! {
    struct Gateway;

    fn(line: &str) -> Reply {
        kept => length
    }
}

fn main() {}
