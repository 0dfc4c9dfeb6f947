#![allow(unused, nonstandard_style)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match size { Small => last, Size::Large => last }
    }
}

enum Size {
    Small,
    Large,
}

#[node]
fn size(request: &Request) -> Size {
    if request.path.is_empty() { Size::Small } else { Size::Large }
}

fn main() {}
