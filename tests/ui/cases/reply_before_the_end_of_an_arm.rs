use chain_runtime::{chain, node};

struct Reply(u16);
struct Request(bool);

#[node]
fn is_local(request: &Request) -> bool {
    request.0
}

#[node]
fn answer() -> Reply {
    Reply(200)
}

#[node]
fn log() {}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        if is_local { answer => log } else { answer }
    }
}

fn main() {}
