use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Log {
    level: u8,
}

#[node]
impl Log {
    fn exit(&self) {
        let _ = self.level;
    }
}

chain! {
    struct App { log: Log }
    async fn(request: Request) -> Reply { log { level } => proxy }
}

fn main() {}
