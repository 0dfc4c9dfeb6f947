use chain_ui::composed::*;

pub struct Lease;

#[node(wanted)]
fn pick() -> Lease {
    Lease
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        pick => last
    }
}

fn main() {}
