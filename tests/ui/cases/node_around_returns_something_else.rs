use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> u8 {
        block.await;
        1
    }
}

fn main() {}
