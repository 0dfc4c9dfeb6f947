use chain_runtime::{chain, node};
use chain_ui::Reply;

struct Head<'r>(&'r str);

#[node]
fn length(head: &Head) -> Reply {
    Reply(head.0.len() as u16)
}

chain! {
    struct Gateway {
        head: Head,
    }

    fn() -> Reply {
        length
    }
}

fn main() {}
