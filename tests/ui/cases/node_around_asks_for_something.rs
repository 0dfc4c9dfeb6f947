use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, _user: &User, _keys: &Keys, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

fn main() {}
