use chain_runtime::chain;
use chain_ui::composed::*;

chain! {
    struct Gateway;
    fn(request: Request) -> Reply {
        match route { Route::Api(_) => last, _ => last } #[allow(unused)]
    }
}

fn main() {}
