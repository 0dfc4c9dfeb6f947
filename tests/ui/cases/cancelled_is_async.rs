use chain_runtime::node;

struct Log;

#[node]
impl Log {
    async fn cancelled(&self) {
        println!("cancelled");
    }
}

fn main() {}
