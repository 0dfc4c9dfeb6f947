use chain_runtime::{chain, node};

struct Reply(u16);
struct Token<'a, T>(&'a str, T);

#[node]
fn token<'a>(name: &'a str) -> Token<'a, Kindd> {
    todo!()
}

#[node]
fn answer(name: &str) -> Reply {
    Reply(0)
}

chain! {
    struct Gateway;

    fn(name: &str) -> Reply { token => answer }
}

fn main() {}
