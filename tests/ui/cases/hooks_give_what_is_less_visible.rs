use chain_ui::composed::*;

struct Session;

pub struct Login;

#[node]
impl Login {
    async fn enter(&self, _request: &Request) -> Result<Session, Unauthorized> {
        Ok(Session)
    }
}

#[node]
fn answer(_session: &Session) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway { login: Login }

    async fn(request: Request) -> Reply {
        login => answer
    }
}

fn main() {}
