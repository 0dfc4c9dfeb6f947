//! `#[node]` is missing before the block whose value a later node asks for.
use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Session;

struct Sessions;

impl Sessions {
    fn enter(&self) -> Session {
        Session
    }
}

#[node]
fn answer(_session: &Session) -> Reply {
    Reply(200)
}

chain! {
    struct App { sessions: Sessions }
    fn(request: Request) -> Reply { sessions => answer }
}

fn main() {}
