use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(version) => last, _ => last }
    }
}

fn main() {}
