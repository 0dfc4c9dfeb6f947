use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Log;

impl Log {
    #[node]
    fn log(_request: &Request) {}
}

#[node]
fn answer() -> Reply {
    Reply(200)
}

chain! {
    struct App;
    fn(request: Request) -> Reply { log => answer }
}

fn main() {
    Log;
}
