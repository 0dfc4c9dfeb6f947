use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Log;

impl Log {
    #[node]
    fn log(&self, _request: &Request) {}
}

#[node]
fn answer() -> Reply {
    Reply(200)
}

chain! {
    struct App { log: Log }
    fn(request: Request) -> Reply { log => answer }
}

fn main() {}
