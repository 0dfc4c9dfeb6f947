use chain_ui::composed::*;

chain! {
    segment front(log: Log) { log => auth }
}

chain! {
    struct Gateway {
        logs: Log,
    }

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}
