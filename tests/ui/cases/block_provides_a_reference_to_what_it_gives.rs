use chain_ui::composed::*;

pub struct Session;

#[node]
fn sign_in(_request: &Request) -> Session {
    Session
}

#[node]
fn welcome(_session: &Session) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply { { sign_in } -> &Session => welcome }
}

fn main() {}
