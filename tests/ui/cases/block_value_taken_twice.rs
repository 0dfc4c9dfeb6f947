use chain_ui::composed::*;

#[node]
fn eat(user: User) {
    drop(user);
}

#[node]
fn greet_it(user: &User) -> Reply {
    Reply(user.0.len() as u16)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { auth } -> User => eat => greet_it
    }
}

fn main() {}
