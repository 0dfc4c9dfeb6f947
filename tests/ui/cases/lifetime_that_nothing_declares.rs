use chain_runtime::{chain, node};

struct Token<'a>(&'a str);
struct Reply;

#[node]
fn answer(token: &Token<'r>) -> Reply {
    let _ = token.0;
    Reply
}

chain! {
    struct Gateway;
    fn(count: u32) -> Reply { answer }
}

fn main() {}
