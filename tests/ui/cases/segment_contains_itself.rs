use chain_ui::composed::*;

chain! {
    segment front { auth => ..front }
}

fn main() {}
