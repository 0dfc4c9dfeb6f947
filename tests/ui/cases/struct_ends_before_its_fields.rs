use chain_ui::composed::*;

struct Log;

#[node]
impl Log {
    fn enter(&self) {}
}

chain! {
    struct Gateway; {
        log: Log,
    }

    async fn(request: Request) -> Reply {
        log => proxy
    }
}

fn main() {
    let _ = Gateway { log: Log };
}
