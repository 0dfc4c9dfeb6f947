use chain_ui::composed::*;

struct Memory;

chain! {
    #[check(Memory)]
    struct Gateway;

    fn(request: Request) -> Reply { last }
}

fn main() {}
