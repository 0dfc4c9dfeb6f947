use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(version: u64) => last, _ => last }
    }
}

fn main() {}
