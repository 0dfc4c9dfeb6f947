use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    fn enter(&self) {}
    fn again(&self, attempt: u32, reply: &Reply) -> bool {
        attempt < 3 && reply.0 == 503
    }
}

fn main() {}
