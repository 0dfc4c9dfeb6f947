use std::fmt::Debug;

use chain_runtime::node;

struct Log;

#[node]
impl Log {
    fn enter<T: Debug>(&self, what: &T) {
        println!("{what:?}");
    }
}

fn main() {}
