use chain_runtime::node;
use chain_ui::User;
use chain_ui::composed::*;

enum Who {
    Known(User),
    Nobody,
}

#[node]
fn who(request: &Request) -> Who {
    match request.path.strip_prefix("/~") {
        Some(name) => Who::Known(User(name.to_owned())),
        None => Who::Nobody,
    }
}

#[node]
fn consume(user: User) {
    drop(user);
}

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

#[node]
fn nobody() -> Reply {
    Reply(401)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match who {
            Who::Known(user: User) => consume => store,
            Who::Nobody => nobody,
        }
    }
}

fn main() {}
