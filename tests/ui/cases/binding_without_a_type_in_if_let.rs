use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if let Route::Api(version) = route { number } else { last }
    }
}

fn main() {}
