use chain_ui::composed::*;

chain! {
    segment front { match count { Self::ADMIN => last, _ => last } }
}

fn main() {}
