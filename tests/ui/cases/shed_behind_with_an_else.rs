use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] background else { nothing } => last
    }
}

#[node]
fn background() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

fn main() {}
