use chain_ui::composed::*;

struct Patient;

#[node]
impl Patient {
    async fn around<B: Future<Output = Reply>>(&self, block: Pin<&mut B>) -> u16 {
        block.await.0
    }
}

fn main() {}
