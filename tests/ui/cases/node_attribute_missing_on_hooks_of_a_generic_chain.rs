use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct Log;

impl Log {
    fn enter(&self, request: &Request) {
        let _ = request.0;
    }
}

#[node]
fn answer(request: &Request) -> Reply {
    let _ = request.0;
    Reply
}

chain! {
    struct Gateway<S: Send> {
        log: Log,
        store: Option<S>,
    }

    fn(request: Request) -> Reply {
        log => answer
    }
}

fn main() {}
