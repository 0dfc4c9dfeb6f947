use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] #[timeout(1s)] background => last
    }
}

#[node]
fn background() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

fn main() {}
