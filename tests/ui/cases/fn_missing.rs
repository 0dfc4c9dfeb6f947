#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::{Keys, greet};

chain! {
    struct Gateway { keys: Keys }
}

fn main() {}
