use chain_runtime::{chain, node};
use chain_ui::Reply;

type Text<'r> = &'r str;

#[node]
fn last() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn(line: Text<'_>) -> Reply {
        last
    }
}

fn main() {}
