use chain_runtime::node;

struct Log;

#[node]
impl Log {
    unsafe fn enter(&self) {
        println!("enter");
    }
}

fn main() {}
