use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, block: B) -> B::Output {
        block.await
    }
}

fn main() {}
