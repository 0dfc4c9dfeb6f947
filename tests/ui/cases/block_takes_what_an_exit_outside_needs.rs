use chain_ui::composed::*;

#[node]
fn auth_nobody() -> Reply {
    Reply(401)
}

chain! {
    struct Gateway { remembers: Remembers }

    async fn(request: Request) -> Reply {
        remembers => { drop_it => nothing } => auth_nobody
    }
}

fn main() {}
