use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Token<'r>(&'r str);

#[node]
fn token<'r>(request: &'r Request) -> Token<'r> {
    Token(&request.path)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        token => proxy
    }
}

fn main() {}
