use chain_runtime::{chain, node};
use chain_ui::Reply;

#[node]
fn route() -> Option<u16> {
    None
}

#[node]
fn known(number: &u16) -> Reply {
    Reply(*number)
}

#[node]
fn other() -> Reply {
    Reply(404)
}

chain! {
    struct Gateway;

    fn() -> Reply {
        match route { Some(u16) => known, None => other }
    }
}

fn main() {}
