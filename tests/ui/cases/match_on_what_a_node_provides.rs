use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, auth, greet, proxy};

enum Route {
    Known,
    Open,
}

#[node]
fn route(request: &Request) -> Route {
    if request.path.is_empty() { Route::Open } else { Route::Known }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        route => match Route {
            Route::Known => auth => greet,
            Route::Open => proxy,
        }
    }
}

fn main() {}
