use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match route { Route::Api(1..=9: u32) => last, _ => last }
    }
}

fn main() {}
