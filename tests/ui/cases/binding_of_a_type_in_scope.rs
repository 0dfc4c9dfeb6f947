use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        count => match route { Route::Api(version: u32) => number, _ => last }
    }
}

fn main() {}
