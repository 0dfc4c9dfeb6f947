use chain_ui::composed::*;

enum Turned {
    Full,
    Unavailable,
}

impl IntoReply<Reply> for Turned {
    fn into_reply(self) -> Reply {
        Reply(429)
    }
}

struct Permit;

#[node]
async fn limiter(request: &Request) -> Result<Permit, Turned> {
    match request.path.len() {
        0 => Err(Turned::Full),
        1 => Err(Turned::Unavailable),
        _ => Ok(Permit),
    }
}

#[node]
fn needs(permit: &Permit) -> Reply {
    let Permit = permit;
    Reply(200)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open] limiter => needs
    }
}

fn main() {}
