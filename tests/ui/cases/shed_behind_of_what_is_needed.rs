use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] owned_user => greet
    }
}

#[node]
fn owned_user(request: &Request) -> impl Future<Output = User> + Send + 'static {
    let name = request.path.clone();
    async move { User(name) }
}

fn main() {}
