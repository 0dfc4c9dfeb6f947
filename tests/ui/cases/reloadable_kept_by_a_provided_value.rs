use chain_ui::composed::*;

struct Kept<'a>(&'a Limits);

#[node]
fn keep<'a>(limits: &'a Limits) -> Kept<'a> {
    Kept(limits)
}

chain! {
    struct Gateway { limits: Reloadable<Limits> }

    async fn(request: Request) -> Reply {
        keep => last
    }
}

fn main() {}
