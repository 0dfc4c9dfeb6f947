use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn exit(&self) {}
}

fn main() {}
