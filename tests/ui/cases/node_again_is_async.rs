use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    async fn again(&self, attempt: u32, reply: &Reply) -> bool {
        attempt < 3 && reply.0 == 503
    }
}

fn main() {}
