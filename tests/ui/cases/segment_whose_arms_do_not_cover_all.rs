use chain_ui::composed::*;

chain! {
    segment pages { match route { Route::Api(_) => last } }
}

fn main() {}
