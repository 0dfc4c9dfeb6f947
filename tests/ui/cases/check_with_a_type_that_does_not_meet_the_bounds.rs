use chain_ui::composed::*;

trait Store {}

struct Memory;

struct Held<S>(S);

#[node]
fn last_of<S: Store>(_held: &Held<S>) -> Reply {
    Reply(200)
}

chain! {
    #[check(Memory)]
    struct Gateway<S: Store> {
        held: Held<S>,
    }

    fn(request: Request) -> Reply {
        last_of::<S>
    }
}

fn main() {}
