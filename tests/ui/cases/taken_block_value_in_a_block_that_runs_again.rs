use chain_runtime::node;
use chain_ui::User;
use chain_ui::composed::*;

#[node]
fn store(user: User) -> Reply {
    drop(user);
    Reply(200)
}

chain! {
    struct Gateway { again: Again }

    async fn(request: Request) -> Reply {
        { auth } -> User => again { store }
    }
}

fn main() {}
