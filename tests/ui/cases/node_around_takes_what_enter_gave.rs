use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    fn enter(&self) -> u8 {
        1
    }
    async fn around<B: Future>(&self, _entered: u8, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

fn main() {}
