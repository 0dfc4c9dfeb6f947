use chain_ui::composed::*;

#[node]
fn sign_in(_request: &Request) -> Result<Session, Unauthorized> {
    Ok(Session)
}

pub struct Session;

#[node]
fn welcome(_session: &Session) -> Reply {
    Reply(200)
}

#[node]
fn refuse() -> Reply {
    Reply(401)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        match sign_in { Ok(session: Session) => welcome, Err(_) => refuse }
    }
}

fn main() {}
