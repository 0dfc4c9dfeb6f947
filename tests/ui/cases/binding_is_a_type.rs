use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, greet};

enum Route {
    Page { user: User },
    Other,
}

#[node]
fn route(request: &Request) -> Route {
    if request.path.is_empty() { Route::Other } else { Route::Page { user: User(request.path.clone()) } }
}

#[node]
fn other() -> Reply {
    Reply(404)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        match route { Route::Page { user: User } => greet, Route::Other => other }
    }
}

fn main() {}
