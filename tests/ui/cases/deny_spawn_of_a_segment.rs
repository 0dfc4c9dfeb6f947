use chain_ui::composed::*;

chain! {
    #[deny(spawn)]
    segment front { audit }
}

fn main() {}
