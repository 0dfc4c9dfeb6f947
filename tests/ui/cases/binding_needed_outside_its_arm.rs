use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        if let Route::Api(version: u32) = route { nothing } => number
    }
}

fn main() {}
