use chain_ui::composed::*;

struct Log;

#[node]
impl Log {
    fn enter(&self) {}
}

#[node]
fn answer(_request: &Request) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway {
        log: Option<Logg>,
    }

    fn(request: Request) -> Reply {
        log => answer
    }
}

fn main() {}
