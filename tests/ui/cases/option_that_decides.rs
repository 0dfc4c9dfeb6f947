use chain_ui::composed::*;

struct IsLocal;

#[node]
impl IsLocal {
    fn enter(&self) -> bool {
        true
    }
}

chain! {
    struct Gateway {
        is_local: Option<IsLocal>,
    }

    fn(request: Request) -> Reply {
        #[when(is_local)] nothing => if is_local { last } else { last }
    }
}

fn main() {}
