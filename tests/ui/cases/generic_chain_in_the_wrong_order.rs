use chain_ui::composed::*;

struct Held<S>(S);

#[node]
fn last_of<S: Clone + Send + 'static>(_held: &Held<S>) -> Reply {
    Reply(200)
}

chain! {
    pub struct Gateway<S: Clone + Send + 'static> {
        held: Held<S>,
    }

    async fn(request: Request) -> Reply {
        check => auth => last_of::<S>
    }
}

fn main() {}
