use chain_ui::composed::*;

chain! {
    segment front {}
}

fn main() {}
