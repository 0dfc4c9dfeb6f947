use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(_) => last, Route::File { .. } => nothing }
    }
}

fn main() {}
