use chain_ui::composed::*;

#[node]
fn told() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open] #[cancel(detach)] told => last
    }
}

fn main() {}
