use chain_runtime::{IntoReply, chain, node};
use chain_ui::{Reply, Request, auth, greet};

struct Refused(u16);

impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply(self.0)
    }
}

#[node]
fn ratelimit(_: &Request) -> Refused {
    Refused(429)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ratelimit => auth => greet
    }
}

fn main() {}
