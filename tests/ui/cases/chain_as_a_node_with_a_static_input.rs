use chain_ui::composed::*;

#[node]
fn shout(path: &str) -> String {
    path.to_uppercase()
}

chain! {
    #[node]
    struct Shouts;
    fn(path: &'static str) -> String { shout }
}

fn main() {}
