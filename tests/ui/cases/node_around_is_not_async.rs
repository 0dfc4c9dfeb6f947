use chain_ui::composed::*;

struct Wrap;

#[node]
impl Wrap {
    fn around<B: Future>(&self, _block: Pin<&mut B>) -> B::Output {
        unimplemented!()
    }
}

fn main() {}
