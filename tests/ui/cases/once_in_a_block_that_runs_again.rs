use chain_ui::composed::*;

pub struct Tried;

#[node(once, wanted)]
fn tried() -> Tried {
    Tried
}

#[node]
async fn ask(tried: &Tried) -> Reply {
    let _ = tried;
    Reply(200)
}

chain! {
    struct Gateway { again: Again }

    async fn(request: Request) -> Reply {
        again { tried => ask }
    }
}

fn main() {}
