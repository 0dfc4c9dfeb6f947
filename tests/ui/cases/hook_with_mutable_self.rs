use chain_runtime::node;

struct Counter(u32);

#[node]
impl Counter {
    fn enter(&mut self) {
        self.0 += 1;
    }
}

fn main() {}
