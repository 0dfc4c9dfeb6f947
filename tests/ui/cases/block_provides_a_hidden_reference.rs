use chain_ui::composed::*;

type Shared = &'static User;

static NOBODY: User = User(String::new());

#[node]
fn lent() -> &'static User {
    &NOBODY
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { lent } -> Shared => last
    }
}

fn main() {}
