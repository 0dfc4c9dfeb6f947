use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    async fn around(&self, block: Pin<&mut std::future::Ready<u8>>) -> u8 {
        block.await
    }
}

fn main() {}
