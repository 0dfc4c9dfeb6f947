use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if let Route::Api(_) { last } else { last }
    }
}

fn main() {}
