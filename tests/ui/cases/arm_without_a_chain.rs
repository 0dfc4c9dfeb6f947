use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(_) => , _ => last }
    }
}

fn main() {}
