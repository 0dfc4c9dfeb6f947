use chain_ui::composed::*;

macro_rules! both {
    ($first:expr, $second:expr) => {
        ($first, $second)
    };
}

#[node]
fn answer(request: &Request) -> Reply {
    let both = || both!(request.path.len(), tokio::task::spawn_blocking::<_, ()>(|| {}));
    Reply(both().0 as u16)
}

chain! {
    struct Gateway;

    #[deny(spawn)]
    async fn(request: Request) -> Reply {
        { nothing } => { answer }
    }
}

fn main() {}
