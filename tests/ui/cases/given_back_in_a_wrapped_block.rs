use chain_ui::User;
use chain_ui::composed::*;

#[node]
fn trim(user: User) -> User {
    User(user.0.trim().to_owned())
}

#[node]
fn greet_it(user: &User) -> Reply {
    Reply(user.0.len() as u16)
}

chain! {
    struct Gateway { again: Again }

    async fn(request: Request) -> Reply {
        auth => again { trim => greet_it }
    }
}

fn main() {}
