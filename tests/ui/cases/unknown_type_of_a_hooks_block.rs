use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Log;

#[node]
impl Logg {
    fn enter(&self) {}
}

#[node]
fn answer(_request: &Request) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway {
        log: Log,
    }

    fn(request: Request) -> Reply {
        log => answer
    }
}

fn main() {
    Gateway { log: Log }.run(Request { path: String::new() });
}
