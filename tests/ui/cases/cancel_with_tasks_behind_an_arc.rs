use std::sync::Arc;

use chain_ui::composed::*;

chain! {
    struct Gateway { tasks: Arc<Tasks> }

    async fn(request: Request) -> Reply {
        #[cancel(detach)] background => last
    }
}

#[node]
fn background() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

fn main() {}
