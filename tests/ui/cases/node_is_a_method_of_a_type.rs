use chain_runtime::chain;
use chain_ui::{Reply, Request};

struct Upstream;

impl Upstream {
    fn call(request: Request) -> Reply {
        Reply(request.path.len() as u16)
    }
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        Upstream::call
    }
}

fn main() {}
