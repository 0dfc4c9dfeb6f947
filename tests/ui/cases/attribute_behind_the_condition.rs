use chain_runtime::chain;
use chain_ui::composed::*;

chain! {
    struct Gateway;
    fn(request: Request) -> Reply {
        if is_local #[allow(unused)] { last } else { last }
    }
}

fn main() {}
