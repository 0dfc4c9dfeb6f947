use chain_ui::composed::*;

use std::rc::Rc;

#[node]
fn rc() -> Rc<u8> {
    Rc::new(1)
}

chain! {
    #[send]
    struct Gateway;

    async fn(request: Request) -> Reply {
        { rc } -> Rc<u8> => last
    }
}

fn main() {}
