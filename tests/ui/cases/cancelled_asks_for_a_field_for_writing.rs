use chain_runtime::node;
use chain_ui::Keys;

struct Log;

#[node]
impl Log {
    fn cancelled(&self, keys: &mut Keys) {
        println!("{keys:?}");
    }
}

fn main() {}
