use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

struct Api(u32);

enum Route {
    Api(Api),
    Page,
}

#[node]
fn route(request: &Request) -> Route {
    if request.path.is_empty() { Route::Api(Api(1)) } else { Route::Page }
}

#[node]
fn api(api: &Api, _: &User) -> Reply {
    Reply(api.0 as u16)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => match route { Route::Api(api: Api) => api, _ => greet }
    }
}

fn main() {}
