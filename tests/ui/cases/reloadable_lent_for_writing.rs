use chain_ui::composed::*;

#[node]
fn change(limits: &mut Limits) {
    limits.0 += 1;
}

chain! {
    struct Gateway { limits: Reloadable<Limits> }

    async fn(request: Request) -> Reply {
        change => last
    }
}

fn main() {}
