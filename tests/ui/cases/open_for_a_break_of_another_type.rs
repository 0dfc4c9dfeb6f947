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

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open(Route::Api(_))] limiter => last
    }
}

fn main() {}
