use chain_ui::composed::*;

chain! {
    segment front(log: Log) { log => auth }
}

chain! {
    struct Gateway {
        log: Ends,
    }

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}
