use chain_ui::composed::*;

const LIMIT: u64 = 250;

struct Status;

impl IntoReply<Status> for Expired {
    fn into_reply(self) -> Status {
        Status
    }
}
impl IntoReply<Status> for Reply {
    fn into_reply(self) -> Status {
        Status
    }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Status {
        #[timeout(LIMIT)] audit => last
    }
}

fn main() {}
