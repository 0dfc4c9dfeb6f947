use chain_ui::composed::*;
use chain_ui::tasks::read;

struct Limit;

#[node(rejects)]
impl Limit {
    fn enter(&self) -> Result<(), Unauthorized> {
        Err(Unauthorized)
    }
}

chain! {
    struct Gateway { limit: Limit }

    async fn(request: Request, keys: Keys) -> Reply {
        read => limit => last
    }
}

fn main() {}
