use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

enum Route {
    Page(u32),
    Other,
}

#[node]
fn route(_request: &Request) -> Route {
    Route::Page(1)
}

#[node]
fn page(_number: &u32) -> Reply {
    Reply(200)
}

#[node]
fn other() -> Reply {
    Reply(404)
}

chain! {
    struct App;
    fn(request: Request) -> Reply {
        match route {
            Route::Page(number: u64) => page,
            Route::Other => other,
        }
    }
}

fn main() {}
