use chain_runtime::{chain, node};

struct Reply;

#[node]
fn tags() -> Vec<u8> {
    Vec::new()
}

#[node]
fn answer(_tags: &Vec) -> Reply {
    Reply
}

chain! {
    struct Gateway;
    fn() -> Reply { tags => answer }
}

fn main() {}
