use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct Started(u8);
struct Log(u8);

#[node]
impl Log {
    fn enter(&self, request: &Request) -> Startd {
        Started(request.0)
    }

    fn exit(&self, started: &Started, reply: &mut Reply) {
        let _ = (started.0, reply, &self.0);
    }
}

#[node]
fn answer(request: &Request) -> Reply {
    let _ = request.0;
    Reply
}

chain! {
    struct Gateway {
        log: Log,
    }

    fn(request: Request) -> Reply {
        log => answer
    }
}

fn main() {}
