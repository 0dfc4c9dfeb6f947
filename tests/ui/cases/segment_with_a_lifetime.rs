use chain_ui::composed::*;

chain! {
    segment front<'r> { auth }
}

fn main() {}
