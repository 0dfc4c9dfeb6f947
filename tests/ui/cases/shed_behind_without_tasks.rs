use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] background => last
    }
}

#[node]
fn background() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

fn main() {}
