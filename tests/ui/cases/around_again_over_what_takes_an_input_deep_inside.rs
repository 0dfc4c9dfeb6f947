use chain_ui::composed::*;

chain! {
    struct Gateway { again: Again }

    async fn(request: Request) -> Reply {
        again { match route { Route::Api(_) => { proxy }, _ => last } }
    }
}

fn main() {}
