use chain_ui::composed::*;

chain! {
    struct Gateway { pass: Pass }

    fn(request: Request) -> Reply {
        pass { last }
    }
}

fn main() {}
