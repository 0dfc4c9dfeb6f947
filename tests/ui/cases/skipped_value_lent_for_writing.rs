use chain_ui::composed::*;

struct Permit;
struct Permits;

#[node]
impl Permits {
    fn enter(&self) -> Permit {
        Permit
    }
    fn exit(&self, _permit: &Permit) {}
}

#[node]
fn use_up(permit: &mut Option<Permit>) {
    drop(permit.take());
}

chain! {
    struct Gateway {
        permits: Permits,
    }

    async fn(request: Request) -> Reply {
        #[when(is_local)] permits => use_up => last
    }
}

fn main() {}
