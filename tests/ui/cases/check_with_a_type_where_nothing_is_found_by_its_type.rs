use chain_ui::composed::*;

trait Store {}

struct Memory;

struct Held<S>(S);

#[node]
fn answer(_request: &Request) -> Reply {
    Reply(200)
}

chain! {
    #[check(Memory)]
    struct Gateway<S: Store> {
        held: Held<S>,
    }

    fn(request: Request) -> Reply {
        answer
    }
}

fn main() {}
