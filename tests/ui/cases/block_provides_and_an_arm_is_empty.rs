use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(_) => {}, Route::File { .. } => auth } -> User => greet
    }
}

fn main() {}
